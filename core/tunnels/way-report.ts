import type { Clock } from '../clock.ts'
import { allFailed, isBeamError } from '../errors.ts'
import type { PathReport } from './events.ts'
import { countsOf, round } from './health-report.ts'
import type { Way } from './way.ts'

/** Whether new connections take a way: of their own accord, only when no other is usable, or as a last resort. */
const BREAKER = { untried: undefined, up: 'closed', suspect: 'half-open', down: 'open' } as const

/** A way as it is shown to people and programs. */
export function reportOf(way: Way, score: number, clock: Pick<Clock, 'now'>): PathReport {
  const breaker = BREAKER[way.state]
  const { latencyMs, bytesPerSecond, reliability, congestion } = way.figures
  return {
    label: way.label,
    backend: way.target.handle.name,
    address: way.target.address,
    state: way.state,
    score: round(score, 3),
    ...(way.path === undefined ? {} : { kind: way.path.kind }),
    ...(latencyMs === undefined ? {} : { latencyMs: round(latencyMs, 1) }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond: Math.round(bytesPerSecond) }),
    ...(reliability === undefined ? {} : { reliability: round(reliability, 3) }),
    ...(congestion === undefined ? {} : { congestion: round(congestion, 3) }),
    ...(breaker === undefined ? {} : { breaker }),
    ...countsOf(way.meter.health.figures(), clock),
  }
}

/** What went wrong on every way, as one error; the error of the only one. */
export function inOne(ways: readonly Way[], failures: readonly unknown[]): unknown {
  const [only] = failures
  if (failures.length === 1 && isBeamError(only)) return only
  const codes = new Set(failures.map((error) => (isBeamError(error) ? error.code : '')))
  const hints = new Set(failures.map((error) => (isBeamError(error) ? error.hint : undefined)))
  const [code] = codes.size === 1 ? codes : []
  const [hint] = hints.size === 1 ? hints : []
  const parts = ways.map(({ label }, index) => {
    const error = failures[index]
    return `${label}: ${error instanceof Error ? error.message : 'no answer'}`
  })
  return allFailed(`No path to the service works. ${parts.join(' ')}`, failures, {
    ...(code === undefined || code === '' ? {} : { code }),
    ...(hint === undefined ? {} : { hint }),
  })
}
