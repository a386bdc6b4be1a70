import type { Clock } from '../clock.ts'
import { PathMeter } from './path-meter.ts'
import { orderRoutes, type RouteCandidate, type RoutingStrategy } from './route-order.ts'
import type { PathFigures } from './score.ts'

/** Routes that are remembered of one destination, and destinations. The least recently used go first. */
const MAX_ROUTES = 64
const MAX_DESTINATIONS = 1024

/** What came of using a route. */
export interface RouteOutcome {
  readonly worked: boolean
  readonly latencyMs?: number
  readonly bytesPerSecond?: number
}

/** A route that is offered for choice: what is known of it beside what this table has measured. */
export type RouteOffer = Omit<RouteCandidate, 'figures'>

/** What was measured of the routes to each destination: which to try first, and which to leave alone for a while. */
export class RouteTable {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #destinations = new Map<string, Map<string, PathMeter>>()

  constructor(options: { readonly clock: Clock; readonly random?: () => number }) {
    this.#clock = options.clock
    this.#random = options.random ?? Math.random
  }

  /** Notes what came of a route. */
  note(destination: string, route: string, { worked, latencyMs, bytesPerSecond }: RouteOutcome): void {
    const meter = this.#meter(destination, route)
    if (latencyMs !== undefined) meter.latency(latencyMs)
    if (bytesPerSecond !== undefined) meter.bandwidth(bytesPerSecond)
    if (!meter.health.acquire()) return
    if (worked) meter.health.succeeded({ by: 'traffic', ...(latencyMs === undefined ? {} : { ttfbMs: latencyMs }) })
    else meter.health.failed({ by: 'traffic' })
  }

  /** The offered routes in the order in which they are to be tried; those that failed again and again are left out for a while. */
  order<T extends RouteOffer>(destination: string, offers: readonly T[], strategy: RoutingStrategy): Array<T & RouteCandidate> {
    const routes = this.#destinations.get(destination)
    const usable = offers.filter(({ id }) => routes?.get(id)?.health.figures().breaker !== 'open')
    const candidates = (usable.length > 0 ? usable : offers).map((offer) => ({ ...offer, figures: this.figures(destination, offer.id) }))
    return orderRoutes(candidates, strategy, this.#random)
  }

  /** What was measured of one route. */
  figures(destination: string, route: string): PathFigures {
    return this.#destinations.get(destination)?.get(route)?.figures() ?? {}
  }

  #meter(destination: string, route: string): PathMeter {
    const routes = this.#destinations.get(destination) ?? new Map<string, PathMeter>()
    this.#destinations.delete(destination)
    this.#destinations.set(destination, routes)
    dropOldest(this.#destinations, MAX_DESTINATIONS)
    const meter = routes.get(route) ?? new PathMeter(this.#clock)
    routes.delete(route)
    routes.set(route, meter)
    dropOldest(routes, MAX_ROUTES)
    return meter
  }
}

function dropOldest<K, V>(map: Map<K, V>, max: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= max) break
    map.delete(oldest)
  }
}
