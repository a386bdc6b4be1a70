import type { Duplex } from 'node:stream'
import type { StreamHandler } from '../../../../core/backend.ts'
import type { Clock } from '../../../../core/clock.ts'
import { UnreachableError } from '../../../../core/errors.ts'
import { MemoryStream } from '../../../../core/streams/memory-stream.ts'
import {
  MultipathAcceptor,
  openMultipath,
  WindowBudget,
  type MultipathStream,
  type Route,
} from '../../../../core/streams/multipath/index.ts'
import { FaultyStream } from '../../../../core/testing/faulty-stream.ts'

/** How far time goes at once, in milliseconds, and how many turns of the event loop streams get then. */
const STEP_MS = 50
const TURNS = 6

/** Time that passes when the test says so. */
export class SteppedClock implements Clock {
  #now = 1_000
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>()

  now = (): number => this.#now
  monotonic = (): number => this.#now

  after = (ms: number, run: () => void): (() => void) => {
    const timer = { atMs: this.#now + ms, run }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  every(): () => void {
    throw new Error('nothing of this repeats')
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.#now + ms; ;) {
      for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
      if (this.#now >= end) return
      this.#now = Math.min(end, this.#now + STEP_MS)
      for (const timer of [...this.#timers]) {
        if (timer.atMs > this.#now || !this.#timers.delete(timer)) continue
        timer.run()
      }
    }
  }
}

/** A network between one visitor and one publisher. */
export class LossyRoute implements Route {
  readonly label: string
  isDown = false
  /** `works`, refuses dials, or lets them hang. */
  state: 'works' | 'refuses' | 'hangs' = 'works'
  dials = 0
  /** How long everything takes, each way. */
  delayMs = 0
  /** What the publisher is told of the visitor. */
  key = 'visitor'
  readonly #acceptor: MultipathAcceptor
  readonly #clock: Clock
  readonly #ends = new Set<Duplex>()
  readonly #lines = new Set<FaultyStream>()

  constructor(label: string, { acceptor, clock }: { readonly acceptor: MultipathAcceptor; readonly clock: Clock }) {
    this.label = label
    this.#acceptor = acceptor
    this.#clock = clock
  }

  readonly dial = ({ signal }: { readonly signal: AbortSignal }): Promise<Duplex> => {
    this.dials += 1
    if (this.state === 'refuses') return Promise.reject(new UnreachableError(`${this.label} refuses.`))
    if (this.state === 'hangs') return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const [near, far] = MemoryStream.pair()
    const all = (): number => Infinity
    const faults = { delayMs: () => this.delayMs, bytesPerSecond: all, resetAfterBytes: all, truncateAfterBytes: all }
    const line = new FaultyStream(near, faults, this.#clock)
    this.#lines.add(line)
    for (const end of [line, far]) {
      end.on('error', () => {})
      this.#ends.add(end)
    }
    this.#acceptor.handle(far, { backend: this.label, key: this.key })
    return Promise.resolve(line)
  }

  /** Its streams break; the publisher notices as well. */
  cut(): void {
    for (const end of this.#ends) end.destroy(new Error('cut'))
    this.#ends.clear()
    this.#lines.clear()
  }

  /** Nothing comes through any more, and nobody is told. */
  silence(): void {
    for (const line of this.#lines) line.hold(true)
  }
}

/** Everything for one stream over routes that fail as the test wants. */
export function lossyRoutes(
  handler: StreamHandler,
  labels: readonly string[],
): {
  readonly clock: SteppedClock
  readonly acceptor: MultipathAcceptor
  readonly routes: readonly LossyRoute[]
  readonly open: () => Promise<MultipathStream>
} {
  const clock = new SteppedClock()
  const acceptor = new MultipathAcceptor({ handler, clock })
  const routes = labels.map((label) => new LossyRoute(label, { acceptor, clock }))
  return { clock, acceptor, routes, open: () => openMultipath({ routes, clock, budget: new WindowBudget() }) }
}
