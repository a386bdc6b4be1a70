import type { Clock } from '../clock.ts'
import type { Announcing } from './announcer.ts'
import type { Leg } from './leg.ts'
import type { OpenStreams } from './open-streams.ts'

/** How long open connections may take to end on a network that is left. Long enough for requests, short enough for somebody who waits. */
export const DEFAULT_DRAIN_MS = 30_000

/** What is said when connections over a network may end by themselves; `streams` is absent where nobody can count them. */
export function drainSentence(network: string, streams: OpenStreams | undefined, drainMs: number): string {
  const seconds = Math.round(drainMs / 1000)
  return streams === undefined
    ? `Connections over ${network} go to the service without Beam and cannot be counted; they have ${seconds} s to end.`
    : `${streams.count} open ${streams.count === 1 ? 'connection' : 'connections'} over ${network}, which may take ${seconds} s to end.`
}

/** The legs of a tunnel that no new visitor is to use: each goes on until its open connections have ended, or the time is over. */
export class Draining {
  readonly #clock: Clock
  readonly #onDrain: (leg: Leg, message: string) => void
  /** What ends each wait. */
  readonly #waits = new Map<Leg, () => void>()

  constructor({ clock, onDrain }: { readonly clock: Clock; readonly onDrain: (leg: Leg, message: string) => void }) {
    this.#clock = clock
    this.#onDrain = onDrain
  }

  has(leg: Leg): boolean {
    return this.#waits.has(leg)
  }

  /** Stops a leg: at once where its network is down or nothing is open, else when its connections have ended. */
  add(leg: Leg, streams: OpenStreams | undefined): void {
    if (this.has(leg)) return
    if (leg.view().state !== 'up' || streams?.count === 0) return void leg.stop()
    const stop = (): void => {
      this.keep(leg)
      void leg.stop()
    }
    const unlisten = streams?.onClosed(() => {
      if (streams.count === 0) stop()
    })
    const cancel = this.#clock.after(DEFAULT_DRAIN_MS, stop, { unref: true })
    this.#waits.set(leg, () => {
      unlisten?.()
      cancel()
    })
    this.#onDrain(leg, drainSentence(leg.name, streams, DEFAULT_DRAIN_MS))
  }

  /** Legs as visitors are to know of them: of those that drain they learn nothing. */
  listed(legs: readonly Leg[]): readonly Announcing[] {
    return legs.map((leg) => (this.has(leg) ? { name: leg.name, carried: leg.carried, endpoints: () => [] } : leg))
  }

  /** A leg that is wanted again goes on. */
  keep(leg: Leg): void {
    this.#waits.get(leg)?.()
    this.#waits.delete(leg)
  }

  /** Stops what is left, at once. */
  async end(): Promise<void> {
    const left = [...this.#waits.keys()]
    for (const leg of left) this.keep(leg)
    await Promise.all(left.map((leg) => leg.stop()))
  }
}
