import { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { UnreachableError } from '../../errors.ts'
import { RangeStream, RESET_CODES } from '../ranges/index.ts'
import { Carrier, type CarrierFigures, type CarrierOptions } from './carrier.ts'
import type { WindowBudget } from './window-budget.ts'

/** Acknowledgements: after two segments, as TCP does, or soon. */
const ACK_AFTER_FRAMES = 2
const ACK_DELAY_MS = 5
/** Five minutes without any progress: nothing will come any more. */
const STALL_MS = 300_000
/** The only stream of its paths. */
const STREAM_ID = 1

/** What a stream tells of its paths. */
export interface MultipathEvents {
  /** A path fell silent, was heard again, or is gone. */
  onPath?(label: string, change: 'silent' | 'open' | 'closed'): void
  /** The last path is gone; the stream waits for another one. */
  onAlone?(): void
}

/** What a stream is made of. */
export interface MultipathSetup extends MultipathEvents {
  readonly clock: Clock
  readonly budget: WindowBudget
  readonly peerWindowBytes: number
}

/**
 * One byte stream over several paths, each a stream of its own that may die or fall silent: ends and resets are those of any stream,
 * and no byte is lost or doubled as long as one path is left. It owns its paths.
 */
export class MultipathStream extends Duplex {
  readonly #clock: Clock
  readonly #engine: RangeStream
  readonly #events: MultipathEvents
  readonly #carriers = new Set<Carrier>()
  readonly #release: () => void
  #wants = false
  #ended = false
  #onRoom: ((error?: Error | null) => void) | undefined
  #onSent: ((error?: Error | null) => void) | undefined
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined
  #proceeding = false
  /** Something happened that may have to be acted upon. */
  #due = false
  #heardAtMs = -Infinity

  constructor(setup: MultipathSetup) {
    super({ allowHalfOpen: true, highWaterMark: 64 * 1024 })
    const { clock, budget, peerWindowBytes } = setup
    this.#clock = clock
    this.#events = setup
    this.#release = budget.take()
    const limits = {
      sendBytes: budget.share,
      receiveBytes: budget.share,
      ackAfterFrames: ACK_AFTER_FRAMES,
      ackDelayMs: ACK_DELAY_MS,
      stallMs: STALL_MS,
    }
    this.#engine = new RangeStream({ id: STREAM_ID, limits, peerWindowBytes })
    // What happens before somebody listens must not end the process.
    this.on('error', () => {})
  }

  /** How its paths are now. */
  get paths(): readonly CarrierFigures[] {
    return [...this.#carriers].map((carrier) => carrier.figures)
  }

  /** Whether both directions have ended and everything arrived. */
  get complete(): boolean {
    return this.#engine.state === 'done'
  }

  /** Bytes that were sent more than once. */
  get resentBytes(): number {
    return this.#engine.resentBytes
  }

  /** Bytes held in both directions. */
  get heldBytes(): number {
    return this.#engine.heldBytes
  }

  /** When anything was last heard on any path, on the clock's monotonic time. */
  get heardAtMs(): number {
    return this.#heardAtMs
  }

  /** After how many milliseconds without an answer the quickest path counts as late. */
  get patienceMs(): number {
    return Math.min(...[...this.#carriers].map(({ path }) => path.timeoutMs))
  }

  /** Asks on every path whether it lives. */
  ask(): void {
    this.#engine.ask(this.#clock.monotonic())
    this.#proceed()
  }

  /** The far end says that both directions are complete: the word that told of it was lost with its path. Whether that can be. */
  finish(): boolean {
    const can = this.#engine.finish()
    this.#proceed()
    return can
  }

  /** Uses another path, from now on until it ends. What the stream sends goes behind what was written to it. */
  addPath(inner: Duplex, label: string, options: CarrierOptions = {}): void {
    const carrier: Carrier = new Carrier(
      inner,
      label,
      { ...options, clock: this.#clock },
      {
        frames: (frames) => {
          const now = (this.#heardAtMs = this.#clock.monotonic())
          for (const frame of frames) this.#engine.receive(carrier.path, frame, now)
          this.#proceed()
        },
        room: () => this.#proceed(),
        silent: (isSilent) => this.#events.onPath?.(label, isSilent ? 'silent' : 'open'),
        closed: () => {
          options.onClosed?.()
          this.#removed(carrier)
        },
      },
    )
    this.#carriers.add(carrier)
    this.#engine.addPath(carrier.path)
    carrier.start()
    if (this.destroyed) carrier.close()
    this.#proceed()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#engine.write(chunk)
    if (this.#engine.room > 0) callback()
    else this.#onRoom = callback
    this.#proceed()
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#engine.end()
    this.#onSent = callback
    this.#proceed()
  }

  override _read(): void {
    this.#wants = true
    this.#proceed()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#engine.state === 'open') this.#engine.reset(RESET_CODES.local)
    else this.#engine.acknowledgeEverywhere()
    this.#pump()
    for (const carrier of this.#carriers) carrier.close()
    this.#carriers.clear()
    this.#timer?.cancel()
    this.#timer = undefined
    this.#release()
    const [onRoom, onSent] = [this.#onRoom, this.#onSent]
    this.#onRoom = this.#onSent = undefined
    onRoom?.(error)
    onSent?.(error)
    callback(error)
  }

  #removed(carrier: Carrier): void {
    if (!this.#carriers.delete(carrier)) return
    this.#engine.removePath(carrier.path)
    if (this.destroyed) return
    // A stream that is done needs its paths no more: that they end is no news.
    if (this.#engine.state === 'open') {
      this.#events.onPath?.(carrier.label, 'closed')
      if (this.#carriers.size === 0) this.#events.onAlone?.()
    }
    this.#proceed()
  }

  /**
   * Does everything that can be done now. Not re-entrant: what it causes in the same turn, frames that come in answer to those it sends
   * among it, is done by the run that is under way.
   */
  #proceed(): void {
    this.#due = true
    if (this.#proceeding || this.destroyed) return
    this.#proceeding = true
    while (this.#due) {
      this.#due = false
      this.#deliver()
      this.#pump()
    }
    this.#proceeding = false
    if (this.#engine.state === 'reset') {
      this.destroy(resetError(this.#engine.resetCode))
      return
    }
    const [onRoom, onSent] = [this.#onRoom, this.#onSent]
    if (onRoom !== undefined && this.#engine.room > 0) {
      this.#onRoom = undefined
      onRoom()
    }
    if (onSent !== undefined && this.#engine.sent) {
      this.#onSent = undefined
      onSent()
    }
    this.#schedule()
  }

  #deliver(): void {
    while (this.#wants) {
      const chunk = this.#engine.read()
      if (chunk === undefined) break
      this.#wants = this.push(chunk)
    }
    if (this.#ended || !this.#engine.drained) return
    this.#ended = true
    this.push(null)
  }

  #pump(): void {
    const now = this.#clock.monotonic()
    for (let sent = true; sent;) {
      sent = false
      for (const carrier of this.#carriers) {
        if (!carrier.hasRoom) continue
        const frame = this.#engine.next(carrier.path, now)
        if (frame === undefined) continue
        carrier.send(frame)
        sent = true
      }
    }
    for (const carrier of this.#carriers) carrier.tellSilence()
  }

  #schedule(): void {
    if (this.destroyed) return
    const now = this.#clock.monotonic()
    const atMs = this.#engine.wakeAtMs(now)
    if (atMs === undefined || (this.#timer !== undefined && this.#timer.atMs <= atMs)) return
    this.#timer?.cancel()
    const cancel = this.#clock.after(Math.max(1, atMs - now), () => {
      this.#timer = undefined
      this.#engine.tick(this.#clock.monotonic())
      this.#proceed()
      this.#schedule()
    })
    this.#timer = { atMs, cancel }
  }
}

function resetError(code: number | undefined): Error {
  const why = code === RESET_CODES.timeout ? 'No path carried anything for too long.' : 'The far end reset the stream.'
  return new UnreachableError(why, { code: 'BEAM_ERR_STREAM_RESET' })
}
