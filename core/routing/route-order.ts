import { scores, type PathFigures } from './score.ts'

/**
 * What a choice among routes looks at: everything together (`quality`), one figure alone, how near the next node is by its network
 * coordinate (`geographic`), or nothing (`random`: hard to predict for whoever would like to stand on the way).
 */
export const ROUTING_STRATEGIES = ['quality', 'latency', 'bandwidth', 'geographic', 'random'] as const
/** One of the ways to choose among routes. */
export type RoutingStrategy = (typeof ROUTING_STRATEGIES)[number]

/** A route that could be taken. */
export interface RouteCandidate {
  readonly id: string
  readonly figures: PathFigures
  /** What is thought of the nodes on it, from own experience: 0 to 1, 0.5 for strangers. */
  readonly trust: number
  /** How far the next node is by its coordinate, in milliseconds. */
  readonly distanceMs?: number
}

/** Whoever broke its word more often than not is taken only when nobody else is left. */
const DISTRUSTED = 0.25

/**
 * Routes in the order in which they are to be tried. Trust weighs in every strategy but `random`: a route whose nodes are not trusted counts
 * for half. A thousand candidates take well below 5 ms.
 */
export function orderRoutes<T extends RouteCandidate>(
  candidates: readonly T[],
  strategy: RoutingStrategy,
  random: () => number = Math.random,
): T[] {
  const values = valuesOf(candidates, strategy, random)
  return candidates
    .map((route, index) => ({ route, value: values[index] ?? 0, distrusted: route.trust < DISTRUSTED }))
    .sort((a, b) => Number(a.distrusted) - Number(b.distrusted) || b.value - a.value)
    .map(({ route }) => route)
}

/** What each is worth; higher is better. */
function valuesOf(candidates: readonly RouteCandidate[], strategy: RoutingStrategy, random: () => number): number[] {
  const trusted = (value: number, { trust }: RouteCandidate): number => value * (0.5 + 0.5 * trust)
  switch (strategy) {
    case 'quality': {
      // Shifted above zero, so that trust weighs the same way for all.
      const quality = scores(candidates.map(({ figures }) => figures))
      return candidates.map((route, index) => trusted((quality[index] ?? 0) + 0.1, route))
    }
    case 'latency':
      return nearest(candidates, ({ figures }) => figures.latencyMs).map((value, index) =>
        trusted(value, candidates[index] as RouteCandidate),
      )
    case 'geographic':
      return nearest(candidates, ({ distanceMs, figures }) => distanceMs ?? figures.latencyMs).map((value, index) =>
        trusted(value, candidates[index] as RouteCandidate),
      )
    case 'bandwidth': {
      const most = Math.max(1, ...candidates.map(({ figures }) => figures.bytesPerSecond ?? 0))
      return candidates.map((route) => trusted((route.figures.bytesPerSecond ?? 0) / most, route))
    }
    case 'random':
      return candidates.map(() => random())
  }
}

/** Shares of the least: 1 for the nearest; what was not measured comes last. */
function nearest(candidates: readonly RouteCandidate[], msOf: (route: RouteCandidate) => number | undefined): number[] {
  const all = candidates.map((route) => msOf(route))
  const least = all.reduce<number>((min, ms) => Math.min(min, ms ?? Infinity), Infinity)
  return all.map((ms) => (ms === undefined ? 0 : Math.max(1, least) / Math.max(1, ms)))
}
