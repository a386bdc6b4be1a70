import type { BeamConfig, PrivacyBudgetSettings, TunnelHealth } from '../../config/beam-config.generated.ts'
import type { PrivacyBudget } from '../../core/tunnels/choose.ts'
import type { HealthSettings } from '../../core/tunnels/health-settings.ts'
import type { Service } from '../publish-session.ts'
import { parseDuration } from './duration.ts'

/** The tunnels of a configuration as they are published. */
export function declaredServices({
  tunnels,
}: Pick<BeamConfig, 'tunnels'>): ReadonlyArray<Service & { readonly options: { readonly name: string } }> {
  return tunnels.map(({ name, port, host, domain, backends, strategy, weights, health, budget, access, allowExposure, http, network }) => ({
    target: { port, host },
    options: {
      name,
      strategy,
      allowExposure,
      ...(domain === undefined ? {} : { domain }),
      ...(backends === undefined ? {} : { backends }),
      ...(weights === undefined ? {} : { weights }),
      ...(health === undefined ? {} : { health: healthOf(health) }),
      ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
      ...(access === undefined ? {} : { access }),
      ...(http === undefined ? {} : { http }),
      ...(network === undefined ? {} : { network }),
    },
  }))
}

/** The longest time that a file can state: six digits of hours. What a setting may be is checked where it is used. */
const BOUNDS = { least: 0, most: 999_999 * 3_600_000 }

function healthOf({ selfCheck, probeEvery, probeTimeout, failAfter, recoverAfter }: TunnelHealth): HealthSettings {
  return {
    ...(selfCheck === undefined ? {} : { selfCheck }),
    ...(probeEvery === undefined ? {} : { probeEveryMs: parseDuration(probeEvery, 'probeEvery', BOUNDS) }),
    ...(probeTimeout === undefined ? {} : { probeLimitMs: parseDuration(probeTimeout, 'probeTimeout', BOUNDS) }),
    ...(failAfter === undefined ? {} : { failAfterMs: parseDuration(failAfter, 'failAfter', BOUNDS) }),
    ...(recoverAfter === undefined ? {} : { recoverAfterMs: parseDuration(recoverAfter, 'recoverAfter', BOUNDS) }),
  }
}

function budgetOf({ latency, ...budget }: PrivacyBudgetSettings): PrivacyBudget {
  return { ...budget, ...(latency === undefined ? {} : { latencyMs: parseDuration(latency, 'latency', BOUNDS) }) }
}
