import type { Clock } from '../clock.ts'
import type { BreakerState } from '../routing/health/index.ts'
import { healthOf, type NetworkHealth } from './health-report.ts'
import type { Leg } from './leg.ts'
import { isOnTrial, type Hysteresis, type LegView, type Strategy } from './strategy.ts'

export type { NetworkHealth }

/** By what a network of a tunnel is judged. */
export interface JudgedBy {
  /** Default: `priority`. */
  readonly strategy?: Strategy
  readonly hysteresis: Hysteresis
  readonly clock: Pick<Clock, 'now'>
}

/** One network of a published tunnel as it is shown to people and programs; the figures are those of its run that goes on now. */
export function networkHealth(
  leg: Pick<Leg, 'name' | 'view' | 'carried'>,
  { strategy = 'priority', hysteresis, clock }: JudgedBy,
): NetworkHealth {
  const view = leg.view()
  const breaker = breakerOf(view, strategy, hysteresis)
  const figures = leg.carried?.reachability.figures
  return {
    backend: leg.name,
    state: view.state,
    ...(breaker === undefined ? {} : { breaker }),
    ...(figures === undefined ? {} : healthOf(figures, clock)),
  }
}

function breakerOf(view: LegView, strategy: Strategy, hysteresis: Hysteresis): BreakerState | undefined {
  switch (view.state) {
    case 'idle':
    case 'starting':
      return undefined
    case 'up':
      return isOnTrial(view, strategy, hysteresis) ? 'half-open' : 'closed'
    case 'down':
    case 'failed':
      return 'open'
  }
}
