import type { Duplex } from 'node:stream'
import type { Path } from '../powers.ts'
import { UnsupportedError } from '../errors.ts'
import { nextProbeMs } from '../routing/health/index.ts'
import { race } from '../routing/index.ts'
import { openMultipath, WindowBudget, type MultipathStream } from '../streams/multipath/index.ts'
import { resetStream } from '../streams/index.ts'
import type { PathReport } from './events.ts'
import { bytesOf, isOfTheStream, Way } from './way.ts'
import { ranked, WayChoice } from './way-choice.ts'
import { inOne, reportOf } from './way-report.ts'
import type { WaysSetup } from './ways-setup.ts'

/** How often the ways are looked at anew; at once when one fails. */
const EVALUATE_EVERY_MS = 30_000
/** A way that nothing was heard of for so long is asked, so that a standby is warm and its figures are fresh. */
const ASK_AFTER_MS = 25_000

/** Several ways to one service: measured all the time, chosen by the strategy. */
export class Ways {
  readonly #setup: WaysSetup
  readonly #choice: WayChoice<Way>
  readonly #budget = new WindowBudget()
  readonly #multipath = new Set<MultipathStream>()
  readonly #asking = new Set<Way>()
  readonly #stops = new Set<() => void>()
  #ways: readonly Way[]

  constructor(setup: WaysSetup) {
    this.#setup = setup
    const { clock, circuits, targets } = setup
    const [joins, several] = [setup.strategy === 'multipath', targets.length > 1]
    const count = new Map<string, number>()
    this.#ways = targets.map((target) => {
      const { name } = target.handle
      const number = (count.get(name) ?? 0) + 1
      count.set(name, number)
      return new Way(target, { label: number === 1 ? name : `${name}#${number}`, clock, circuits, joins, several })
    })
    this.#choice = new WayChoice(setup.strategy)
    setup.signal.addEventListener('abort', () => this.#close(), { once: true })
  }

  /** The way that new connections take first. */
  get first(): Way | undefined {
    return this.#choice.current ?? this.#ways[0]
  }

  /** What using them shows of the visitor, each sentence once. */
  get reveals(): readonly string[] {
    return [...new Set(this.#ways.flatMap((way) => way.reveals))]
  }

  /** All ways as they are now, the first choice first. */
  reports(): readonly PathReport[] {
    const { current } = this.#choice
    const all = ranked(this.#ways).map(({ way, score }) => reportOf(way, score, this.#setup.clock))
    return all.toSorted((a, b) => Number(b.label === current?.label) - Number(a.label === current?.label))
  }

  /**
   * Reaches the service: all ways are tried at once, and the first that answers is enough; the others follow in the background. With one
   * way, its error is thrown.
   */
  async reach(signal: AbortSignal | undefined): Promise<Path> {
    const limit = signal === undefined ? this.#setup.signal : AbortSignal.any([signal, this.#setup.signal])
    const ways = this.#ways
    const failures: unknown[] = []
    const path = await new Promise<Path>((resolve, reject) => {
      let failed = 0
      for (const [index, way] of ways.entries()) {
        this.#verify(way, limit).then(resolve, (error: unknown) => {
          failures[index] = error
          failed += 1
          if (limit.aborted) return reject(limit.reason)
          if (failed === ways.length) reject(inOne(ways, failures))
        })
      }
    })
    this.#choice.evaluate(this.#ways)
    return this.first?.path ?? path
  }

  /** Begins to look after the ways. */
  watch(): void {
    if (this.#ways.length > 1) this.#stops.add(this.#setup.clock.every(EVALUATE_EVERY_MS, () => this.#evaluate()))
  }

  /** One stream to the service, as the strategy has it. */
  open(): Promise<Duplex> {
    const [only, ...others] = this.#ways
    if (this.#setup.strategy === 'multipath') return this.#openMultipath()
    // There is nothing to choose, and nothing is paid for choosing.
    if (only !== undefined && others.length === 0) return only.dial({ signal: this.#setup.signal })
    return this.#openOne()
  }

  async #openOne(): Promise<Duplex> {
    const ways = this.#ways
    const order = this.#choice.order(ways)
    const { clock, signal } = this.#setup
    const confirm = order.length > 1
    const contenders = order.map((way, index) => ({
      headStartMs: this.#choice.headStartMs(way, order[index + 1], ways),
      run: (called: AbortSignal) =>
        way.dial({ signal: called, confirm }).then(
          (stream) => ({ way, stream }),
          (error: unknown) => {
            if (!called.aborted && !isOfTheStream(error)) this.#onFailed(way, error)
            throw error
          },
        ),
      onLate: (late: { way: Way; stream: Duplex }) => resetStream(late.stream, new Error('another way was faster')),
      onOvertaken: () => this.#suspect(way, 'it takes longer than usual'),
    }))
    try {
      const { way, stream } = await race(contenders, { clock, signal, isFinal: isOfTheStream })
      this.#carries(way, stream)
      return stream
    } catch (error) {
      throw error instanceof AggregateError ? inOne(order, error.errors) : error
    }
  }

  async #openMultipath(): Promise<Duplex> {
    const usable = this.#ways.filter(({ lacksMultipath }) => !lacksMultipath)
    const routes = (usable.length > 0 ? usable : this.#ways).map((way) => ({
      label: way.label,
      rttMs: way.figures.latencyMs,
      isDown: way.state === 'down',
      dial: async ({ signal }: { signal: AbortSignal }) => {
        try {
          return await way.dial({ signal })
        } catch (error) {
          if (!signal.aborted && !isOfTheStream(error)) this.#onFailed(way, error)
          throw error
        }
      },
    }))
    const { clock, signal } = this.#setup
    const stream = await openMultipath({
      routes,
      clock,
      budget: this.#budget,
      signal,
      onPath: (label, change) => {
        const way = this.#ways.find((one) => one.label === label)
        if (way === undefined) return
        if (change === 'open') this.#become(way, 'up', 'a connection was heard through it')
        else this.#suspect(way, change === 'silent' ? 'it fell silent' : 'it broke off')
      },
    })
    this.#multipath.add(stream)
    stream.once('close', () => {
      this.#measure(stream)
      this.#multipath.delete(stream)
    })
    return stream
  }

  /** Counts what a stream carries over one way. */
  #carries(way: Way, stream: Duplex): void {
    this.#become(way, 'up', 'a new connection got through')
    const from = this.#setup.clock.monotonic()
    stream.once('close', () => {
      way.meter.carried(bytesOf(stream), this.#setup.clock.monotonic() - from)
    })
    // A network that hides carries connections now: one that exposes must not take over without consent.
    const { name } = way.target.handle
    const kept = this.#ways.filter((other) => this.#setup.mayMove(name, other.target.handle.name))
    for (const other of this.#ways) {
      if (!kept.includes(other)) {
        this.#setup.events.onWarning(
          'BEAM_WARN_EXPOSURE',
          `${other.label} is not used any more: it would show the IP address that ${way.label} hides.`,
        )
      }
    }
    this.#ways = kept
  }

  /** Reaches a way, and asks its end where that is needed. */
  async #verify(way: Way, signal: AbortSignal): Promise<Path> {
    const { events } = this.#setup
    try {
      const path = await way.reach(signal, (progress) => events.onProgress(way.target.handle.name, progress))
      if (way.unheard) this.#become(way, 'suspect', 'the network takes streams for it, but nothing was heard from there yet')
      else this.#become(way, 'up', 'it was reached')
      return path
    } catch (error) {
      if (signal.aborted) throw error
      if (error instanceof UnsupportedError) {
        way.lacksMultipath = true
        events.onWarning('BEAM_WARN_MULTIPATH', `${way.label} is not used: ${error.message}`)
      }
      this.#onFailed(way, error)
      throw error
    }
  }

  #evaluate(): void {
    for (const stream of this.#multipath) this.#measure(stream)
    for (const way of this.#ways) {
      const { observedMsAgo } = way.meter.health.figures()
      if (way.state !== 'down' && (observedMsAgo ?? Infinity) > ASK_AFTER_MS) this.#ask(way)
    }
    this.#reconsider('it is the better one now')
  }

  #measure(stream: MultipathStream): void {
    for (const { label, rttMs, bytesPerSecond, deliveredBytes } of stream.paths) {
      const way = this.#ways.find((one) => one.label === label)
      if (way === undefined || deliveredBytes === 0) continue
      if (rttMs !== undefined) way.meter.latency(rttMs)
      if (bytesPerSecond !== undefined) way.meter.bandwidth(bytesPerSecond)
    }
  }

  #reconsider(reason: string): void {
    const before = this.#choice.current
    const moved = this.#choice.evaluate(this.#ways)
    const after = this.#choice.current
    const { strategy, events } = this.#setup
    if (moved && before !== undefined && after !== undefined && strategy !== 'load-balance' && strategy !== 'multipath') {
      events.onMove(before, after, reason)
    }
  }

  #onFailed(way: Way, error: unknown): void {
    this.#become(way, 'down', error instanceof Error ? error.message : String(error))
    this.#askLater(way)
  }

  #suspect(way: Way, reason: string): void {
    if (way.state === 'up') this.#become(way, 'suspect', reason)
    this.#ask(way)
  }

  /** Asks a way whether it lives. */
  #ask(way: Way): void {
    if (this.#asking.has(way) || this.#setup.signal.aborted || !this.#ways.includes(way)) return
    this.#asking.add(way)
    this.#verify(way, this.#setup.signal).then(
      () => void this.#asking.delete(way),
      () => {
        this.#asking.delete(way)
        this.#askLater(way)
      },
    )
  }

  #askLater(way: Way): void {
    // The only way is looked after by who uses it.
    if (this.#ways.length === 1) return
    if (this.#asking.has(way) || this.#setup.signal.aborted || way.lacksMultipath) return
    this.#asking.add(way)
    const { failuresInARow } = way.meter.health.figures()
    const cancel = this.#setup.clock.after(
      nextProbeMs(failuresInARow, { everyMs: EVALUATE_EVERY_MS, random: Math.random }),
      () => {
        this.#stops.delete(cancel)
        this.#asking.delete(way)
        this.#ask(way)
      },
      { unref: true },
    )
    this.#stops.add(cancel)
  }

  #become(way: Way, state: Way['state'], reason: string): void {
    if (way.state === state) return
    way.state = state
    const score = ranked(this.#ways).find((one) => one.way === way)?.score ?? 0
    this.#setup.events.onPath(reportOf(way, score, this.#setup.clock), reason)
    this.#reconsider(state === 'up' ? `${way.label} works again` : `${way.label}: ${reason}`)
  }

  #close(): void {
    for (const stop of this.#stops) stop()
    this.#stops.clear()
    for (const stream of this.#multipath) stream.destroy(new Error('the connection was stopped'))
  }
}
