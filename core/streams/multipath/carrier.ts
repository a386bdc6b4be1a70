import type { Duplex } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { encodeFrame, FrameReader, RangePath, STREAM_PATH, type Frame } from '../ranges/index.ts'
import { resetStream } from '../reset.ts'
import { AnswerReader, type Verdict } from './preamble.ts'

/** How long the last words may take to leave a path before it is broken off. */
const CLOSE_MS = 2_000

/**
 * How long the far end may take to say that it takes the path, in milliseconds: a round trip of the slowest network that carries streams, a
 * few times over.
 */
const ANSWER_LIMIT_MS = 30_000

/** How one path of a stream is, for those who choose paths. Figures that were not measured are absent. */
export interface CarrierFigures {
  readonly label: string
  readonly state: 'open' | 'silent'
  readonly rttMs?: number
  readonly leastRttMs?: number
  /** Bytes per second, as acknowledged. */
  readonly bytesPerSecond?: number
  /** Bytes that arrived at the far end by this path. */
  readonly deliveredBytes: number
}

/** What is known when a path is added. */
export interface CarrierOptions {
  /** What came on it already. */
  readonly received?: Buffer
  readonly initialRttMs?: number
  /** The visitor's end: the far end has to answer for this stream first. Sending does not wait for it. */
  readonly answerTo?: Buffer
  /** Told what the answer was: undefined = none came. */
  readonly onAnswer?: (verdict: Verdict | undefined) => void
  /** Told when the path is gone, before its stream is. */
  readonly onClosed?: () => void
}

/** What a carrier tells its stream. */
export interface CarrierEvents {
  frames(frames: readonly Frame[]): void
  /** There is room for frames again. */
  room(): void
  silent(isSilent: boolean): void
  closed(): void
}

/** One path of a multipath stream: frames over a byte stream, which it owns. */
export class Carrier {
  readonly label: string
  readonly path: RangePath
  readonly #clock: Clock
  readonly #inner: Duplex
  readonly #events: CarrierEvents
  readonly #reader = new FrameReader()
  readonly #onAnswer: CarrierOptions['onAnswer']
  #received: Buffer | undefined
  /** While an answer is waited for. */
  #answer: AnswerReader | undefined
  #cancelLimit: (() => void) | undefined
  #blocked = false
  #closed = false
  #wasSilent = false

  constructor(inner: Duplex, label: string, options: CarrierOptions & { readonly clock: Clock }, events: CarrierEvents) {
    const { initialRttMs, answerTo } = options
    this.label = label
    this.#received = options.received
    this.#answer = answerTo === undefined ? undefined : new AnswerReader(answerTo)
    this.#onAnswer = options.onAnswer
    this.#clock = options.clock
    this.path = new RangePath(initialRttMs === undefined ? STREAM_PATH : { ...STREAM_PATH, initialRttMs })
    this.#inner = inner
    this.#events = events
  }

  /** Begins to read. */
  start(): void {
    const inner = this.#inner
    inner.on('error', () => {})
    inner.on('close', () => this.#onClosed())
    // A path whose one direction ended carries no acknowledgements: the other is of no use.
    inner.on('end', () => this.#onClosed())
    inner.on('drain', () => {
      this.#blocked = false
      this.#events.room()
    })
    if (inner.destroyed) return this.#onClosed()
    const received = this.#received
    this.#received = undefined
    if (received !== undefined && received.length > 0) this.#read(received)
    if (this.#answer !== undefined) this.#limitAnswer()
    inner.on('data', (chunk: Buffer) => this.#read(chunk))
    inner.resume()
  }

  get hasRoom(): boolean {
    return !this.#blocked && !this.#closed && this.#inner.writable
  }

  get figures(): CarrierFigures {
    const { srttMs, leastRttMs, rate, deliveredBytes, silent } = this.path
    return {
      label: this.label,
      state: silent ? 'silent' : 'open',
      ...(srttMs === undefined ? {} : { rttMs: srttMs }),
      ...(leastRttMs === undefined ? {} : { leastRttMs }),
      ...(rate === 0 ? {} : { bytesPerSecond: rate * 1_000 }),
      deliveredBytes,
    }
  }

  send(frame: Frame): void {
    if (!this.#inner.write(encodeFrame(frame))) this.#blocked = true
  }

  /** Tells when the path fell silent or was heard again since the last time. */
  tellSilence(): void {
    if (this.path.silent === this.#wasSilent) return
    this.#wasSilent = this.path.silent
    this.#events.silent(this.#wasSilent)
  }

  /** Ends the path behind what was sent on it. */
  close(): void {
    this.#closed = true
    const inner = this.#inner
    if (inner.destroyed) return
    inner.removeAllListeners('data')
    inner.resume()
    inner.end()
    const cancel = this.#clock.after(CLOSE_MS, () => inner.destroy(), { unref: true })
    inner.once('close', cancel)
  }

  /** Breaks the path off, because its far end broke the rules. */
  abort(reason: Error): void {
    resetStream(this.#inner, reason)
    this.#onClosed()
  }

  #read(chunk: Buffer): void {
    if (this.#closed) return
    const bytes = this.#answer === undefined ? chunk : this.#readAnswer(this.#answer, chunk)
    if (bytes === undefined) return
    try {
      this.#events.frames(this.#reader.push(bytes))
    } catch (error) {
      this.abort(error as Error)
    }
  }

  /** What stands behind the answer, when the far end takes the path. */
  #readAnswer(answer: AnswerReader, chunk: Buffer): Buffer | undefined {
    const found = answer.push(chunk)
    if (found === undefined) return undefined
    this.#answered(found === 'none' ? undefined : found.verdict)
    if (found !== 'none' && found.verdict === 'yes') return found.rest
    this.abort(new Error('the far end did not take the path'))
    return undefined
  }

  #answered(verdict: Verdict | undefined): void {
    if (this.#answer === undefined) return
    this.#answer = undefined
    this.#cancelLimit?.()
    this.#onAnswer?.(verdict)
  }

  #limitAnswer(): void {
    this.#cancelLimit = this.#clock.after(ANSWER_LIMIT_MS, () => this.abort(new Error('the far end did not answer')), { unref: true })
    this.#inner.once('close', this.#cancelLimit)
  }

  #onClosed(): void {
    if (this.#closed) return
    this.close()
    this.#answered(undefined)
    this.#events.closed()
  }
}
