import type { StartedOverview } from '../../plugins/backend-overview.ts'

/** A backend as `--json` shows it: JSON has no Infinity, so a throughput that only the machine limits is null. */
export function backendView({ standing, capabilities, status, configSchema: _, ...rest }: StartedOverview): object {
  return {
    ...rest,
    state: standing,
    ...(capabilities === undefined ? {} : { capabilities: { ...capabilities, maxThroughput: finite(capabilities.maxThroughput) } }),
    ...(status === undefined ? {} : { status: { state: status.state, message: status.message, version: status.version } }),
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
