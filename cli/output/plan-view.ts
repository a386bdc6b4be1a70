import type { TunnelPlan } from '../../core/tunnels/plan.ts'
import { capabilitiesView } from './backend-view.ts'

/** A plan as `--json` shows it (schemas/plan.schema.json). */
export function planView({ rows, ...plan }: TunnelPlan): object {
  return {
    ...plan,
    backends: rows.map(({ capabilities, ...row }) => ({
      ...row,
      ...(capabilities === undefined ? {} : { capabilities: capabilitiesView(capabilities) }),
    })),
  }
}
