import type { BackendCapabilities } from '../../core/capabilities.ts'
import type { StartedOverview } from '../../plugins/backend-overview.ts'

/** A backend as `--json` shows it: JSON has no Infinity, so a throughput that only the machine limits is null. */
export function backendView({ standing, capabilities, status, configSchema: _, ...rest }: StartedOverview): object {
  return {
    ...rest,
    state: standing,
    ...(capabilities === undefined ? {} : { capabilities: capabilitiesView(capabilities) }),
    ...(status === undefined ? {} : { status: { state: status.state, message: status.message, version: status.version } }),
  }
}

/** Capabilities without what JSON cannot say. */
export function capabilitiesView(capabilities: BackendCapabilities): object {
  return { ...capabilities, maxThroughput: finite(capabilities.maxThroughput) }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
