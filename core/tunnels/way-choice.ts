/** Which way a new connection takes: pure decisions over what was measured. */
import { scores, WeightedSpread, type PathFigures } from '../routing/index.ts'
import type { Strategy } from './strategy.ts'
import type { WayState } from './way.ts'

/** A way as it is chosen by. */
export interface Choosable {
  readonly label: string
  readonly state: WayState
  readonly weight: number
  readonly figures: PathFigures
}

/** A better way takes over only when it is better by this much: figures that differ by chance cause no move. */
const BETTER_BY = 0.05
/** Ways whose scores differ by less are close: which one is faster now shows when both are tried. */
const CLOSE = 0.05
/**
 * The head start of a way before the next one is tried as well: twice what it usually takes, within these bounds. Who usually takes longer than
 * the upper one gets what it takes and half of that: otherwise ways of slow networks would never be used beside fast ones.
 */
const HEAD_START_MS = { least: 50, most: 250, unknown: 200, slow: 1.5 } as const

const USABLE: Readonly<Record<WayState, number>> = { up: 0, untried: 1, suspect: 2, down: 3 }

/** Chooses for one tunnel. It remembers which way is in use, and whose turn it is. */
export class WayChoice<W extends Choosable> {
  readonly #strategy: Strategy
  readonly #spread = new WeightedSpread<W>()
  #current: W | undefined

  constructor(strategy: Strategy) {
    this.#strategy = strategy
  }

  /** The way that is in use, or would be next. */
  get current(): W | undefined {
    return this.#current
  }

  /** Looks at the ways anew; the way in use changes only for one that is clearly better, or when it is not usable. Whether it did. */
  evaluate(ways: readonly W[]): boolean {
    const before = this.#current
    const [best] = ranked(ways)
    if (best === undefined) this.#current = undefined
    else if (before === undefined || !ways.includes(before)) this.#current = this.#strategy === 'priority' ? firstOf(ways) : best.way
    else if (this.#strategy !== 'priority' && best.way !== before) {
      const mine = scoreOf(ways, before)
      const isWorse = USABLE[best.way.state] < USABLE[before.state]
      if (isWorse || (best.way.state === before.state && best.score > mine + BETTER_BY)) this.#current = best.way
    }
    return before !== undefined && this.#current !== before
  }

  /** The ways for a new connection, the first choice first. */
  order(ways: readonly W[]): readonly W[] {
    this.evaluate(ways)
    const first = this.#strategy === 'load-balance' ? this.#turn(ways) : this.#current
    if (first === undefined) return []
    if (this.#strategy === 'priority') return [first]
    const rest = ranked(ways).flatMap(({ way }) => (way === first ? [] : [way]))
    return [first, ...rest]
  }

  /** How long a way has before the next one is tried as well. */
  headStartMs(way: W, next: W | undefined, ways: readonly W[]): number {
    const latencyMs = way.figures.latencyMs
    const isClose = next !== undefined && next.state === way.state && Math.abs(scoreOf(ways, way) - scoreOf(ways, next)) < CLOSE
    const usual = latencyMs === undefined ? HEAD_START_MS.unknown : latencyMs * (isClose ? 1 : 2)
    const most = Math.max(HEAD_START_MS.most, (latencyMs ?? 0) * HEAD_START_MS.slow)
    return Math.min(most, Math.max(HEAD_START_MS.least, usual))
  }

  #turn(ways: readonly W[]): W | undefined {
    const best = ranked(ways)
    const [first] = best
    if (first === undefined) return undefined
    const usable = best.filter(({ way }) => USABLE[way.state] === USABLE[first.way.state])
    // A score can be below nothing at worst; a way that is up is never without a turn.
    return this.#spread.next(new Map(usable.map(({ way, score }) => [way, way.weight * Math.max(0.05, score)])))
  }
}

/** Ways with their scores: usable ones first, then by score. */
export function ranked<W extends Choosable>(ways: readonly W[]): Array<{ readonly way: W; readonly score: number }> {
  const all = scores(ways.map(({ figures }) => figures))
  return ways
    .map((way, index) => ({ way, score: all[index] ?? 0 }))
    .toSorted((a, b) => USABLE[a.way.state] - USABLE[b.way.state] || b.score - a.score)
}

/** The first in the order of preference of those that are most usable. */
function firstOf<W extends Choosable>(ways: readonly W[]): W | undefined {
  return ways.toSorted((a, b) => USABLE[a.state] - USABLE[b.state])[0]
}

function scoreOf<W extends Choosable>(ways: readonly W[], way: W): number {
  return ranked(ways).find((one) => one.way === way)?.score ?? 0
}
