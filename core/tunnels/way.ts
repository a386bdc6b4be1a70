import type { Duplex } from 'node:stream'
import type { Progress } from '../backend.ts'
import type { DialOptions, Path } from '../powers.ts'
import type { Clock } from '../clock.ts'
import { isBeamError, UnreachableError, UnsupportedError } from '../errors.ts'
import { PathMeter, type PathFigures } from '../routing/index.ts'
import { letFlow } from '../streams/index.ts'
import { askFarEnd, openAnswered, type FarEnd } from '../streams/multipath/index.ts'
import { openStream, reach } from './dial.ts'
import { revealedBy } from './exposure.ts'
import { newTunnelId } from './ids.ts'
import { IsolationPool } from './isolation-pool.ts'
import type { DiallerHandle } from './resolve-target.ts'

/** Failures of one stream that say nothing about the way to the service. */
const STREAM_ONLY: ReadonlySet<string> = new Set(['BEAM_ERR_SERVICE_DOWN', 'BEAM_ERR_STREAM_RESET'])

/**
 * How long a publisher may take to answer on a stream: ten times what the path took before, within these bounds. What a path takes at first is
 * not known, and networks of many relays need a second or two.
 */
const ANSWER_LIMIT_MS = { least: 5_000, most: 30_000, times: 10 } as const

/** Whether an error is about one stream, so that another way would meet it as well. */
export function isOfTheStream(error: unknown): boolean {
  return isBeamError(error) && STREAM_ONLY.has(error.code)
}

/** A network on which the service can be had. */
export interface WayTarget {
  readonly handle: DiallerHandle
  /** What is dialled there. */
  readonly address: string
  /** How to dial, apart from the signal. */
  readonly dial?: Omit<DialOptions, 'signal' | 'confirm'>
  /** How many new connections it gets beside others of the same score; default 1. */
  readonly weight?: number
}

/** How a way is at the moment. `suspect`: it was slower than it should be and is being asked. */
export type WayState = 'untried' | 'up' | 'suspect' | 'down'

/** What a way is made of, besides its target. */
export interface WaySetup {
  readonly label: string
  readonly clock: Clock
  readonly circuits: number
  /** Whether streams over several networks are wanted, which the publisher has to know. */
  readonly joins: boolean
  /** Whether there are other ways, so that it matters whether this one leads anywhere. */
  readonly several: boolean
}

/** One way to the service: dials, counts and measures. */
export class Way {
  readonly label: string
  readonly target: WayTarget
  readonly meter: PathMeter
  state: WayState = 'untried'
  /** As it was last reached. */
  path: Path | undefined
  /** What keeps it from carrying multipath streams. */
  lacksMultipath = false
  /** Nothing was heard from its end yet, although the network says that it is there. */
  unheard = false
  readonly #clock: Clock
  readonly #pool: IsolationPool
  readonly #joins: boolean
  /** Whether the network's word is not enough. */
  readonly #asksFarEnd: boolean
  /** What the publisher's Beam said of itself, where it was asked. */
  #farEnd: FarEnd | undefined
  /** Whether its end has hung up on a question once. */
  #hungUp = false

  constructor(target: WayTarget, { label, clock, circuits, joins, several }: WaySetup) {
    this.target = target
    this.label = label
    this.#clock = clock
    this.#joins = joins
    this.#asksFarEnd = several && target.handle.capabilities.opensUnheard === true
    this.meter = new PathMeter(clock)
    this.#pool = new IsolationPool(target.dial?.isolation ?? newTunnelId(), circuits)
  }

  get weight(): number {
    return this.target.weight ?? 1
  }

  get figures(): PathFigures {
    return this.meter.figures()
  }

  /** What using it shows of the visitor. */
  get reveals(): readonly string[] {
    const { handle, address } = this.target
    const said = handle.backend.dialReveals(address)
    return said.length > 0 ? said : revealedBy('visitor', handle)
  }

  /**
   * Reaches the service's end and measures. Where the network's word is not enough, or streams over several networks are wanted, the publisher's
   * Beam itself is asked.
   */
  async reach(signal: AbortSignal, onProgress?: (progress: Progress) => void): Promise<Path> {
    try {
      // Whoever can be asked himself need not be looked for.
      const path =
        this.path !== undefined && this.#asksFarEnd && this.#farEnd !== undefined ? this.path : await this.#find(signal, onProgress)
      if (this.#joins ? !this.lacksMultipath : this.#asksFarEnd) await this.#ask(signal)
      return path
    } catch (error) {
      if (!signal.aborted) this.failed(error, 'probe')
      throw error
    }
  }

  async #find(signal: AbortSignal, onProgress: ((progress: Progress) => void) | undefined): Promise<Path> {
    const { handle, address, dial } = this.target
    const from = this.#clock.monotonic()
    const path = await reach({
      handle,
      address,
      clock: this.#clock,
      ...dial,
      ...(onProgress === undefined ? {} : { onProgress }),
      signal,
    })
    this.path = path
    // Where nothing was heard, the time tells nothing.
    if (handle.capabilities.opensUnheard !== true) this.#answered(path.latencyMs ?? this.#clock.monotonic() - from, 'probe')
    else if (!this.#asksFarEnd && !this.#joins) this.meter.health.succeeded({ by: 'probe' })
    return path
  }

  /** Asks the publisher's end. Whatever else is there stays usable as far as it ever was. */
  async #ask(signal: AbortSignal): Promise<void> {
    const stream = await this.#open({ signal })
    try {
      const answer = await askFarEnd(stream, { clock: this.#clock, limitMs: this.#answerLimitMs })
      this.#farEnd = answer
      this.unheard = false
      this.#answered(answer.ms, 'probe')
    } catch (error) {
      signal.throwIfAborted()
      const isOther = error instanceof UnsupportedError
      if (this.#farEnd !== undefined) throw isOther ? new UnreachableError('Something else answers there now.', { cause: error }) : error
      if (!this.#joins) {
        this.unheard = !isOther
        if (isOther) this.meter.health.succeeded({ by: 'probe' })
        return
      }
      if (!isOther) throw error
      // Once may be chance, and what lacks multipath is never asked again.
      if (error.retry === 'later' && !this.#hungUp) {
        this.#hungUp = true
        throw new UnreachableError(error.message, { cause: error })
      }
    }
    if (this.#joins && this.#farEnd?.joins !== true) throw noMultipath()
  }

  /**
   * A stream to the service. `confirm`: not before the far end has shown that it lives, however lately it did so last: what is sent into silence
   * cannot be sent another way. Where the network opens streams unheard, the publisher's Beam shows it on the stream itself.
   */
  async dial(options: { readonly signal: AbortSignal; readonly confirm?: boolean }): Promise<Duplex> {
    const { signal } = options
    const from = this.#clock.monotonic()
    const { confirm = false } = options
    const asks = confirm && this.#asksFarEnd && this.#farEnd !== undefined
    try {
      const opened = await this.#open({ signal, confirm })
      const stream = asks ? await openAnswered(opened, { clock: this.#clock, limitMs: this.#answerLimitMs, signal }) : opened
      letFlow(stream)
      // Where a stream is handed out before anything was heard, the time tells nothing.
      const heard = this.target.handle.capabilities.opensUnheard === true ? asks : confirm
      if (heard) this.#answered(this.#clock.monotonic() - from, 'traffic')
      else this.meter.health.succeeded({ by: 'traffic' })
      return stream
    } catch (error) {
      if (!signal.aborted) this.failed(error, 'traffic')
      throw error
    }
  }

  async #open({ signal, confirm = false }: { readonly signal: AbortSignal; readonly confirm?: boolean }): Promise<Duplex> {
    const { isolation, release } = this.#pool.take()
    const { handle, address, dial } = this.target
    try {
      const stream = await openStream({
        handle,
        address,
        clock: this.#clock,
        ...dial,
        isolation,
        signal,
        ...(confirm ? { confirm } : {}),
      })
      if (stream.closed) release()
      else stream.once('close', release)
      return stream
    } catch (error) {
      release()
      throw error
    }
  }

  get #answerLimitMs(): number {
    const { least, most, times } = ANSWER_LIMIT_MS
    return Math.min(most, Math.max(least, (this.figures.latencyMs ?? 0) * times))
  }

  failed(error: unknown, by: 'traffic' | 'probe'): void {
    if (!isOfTheStream(error)) this.meter.health.failed({ by })
  }

  #answered(ms: number, by: 'traffic' | 'probe'): void {
    this.meter.latency(ms)
    this.meter.health.succeeded({ by, ttfbMs: ms })
  }
}

/** What a stream has carried, as links and sockets count it. */
export function bytesOf(stream: Duplex): number {
  const {
    bytes,
    bytesRead = 0,
    bytesWritten = 0,
  } = stream as Duplex & {
    bytes?: { readonly received: number; readonly sent: number }
    bytesRead?: number
    bytesWritten?: number
  }
  return bytes === undefined ? bytesRead + bytesWritten : bytes.received + bytes.sent
}

function noMultipath(): UnsupportedError {
  return new UnsupportedError('The publisher does not join streams over several networks there.', {
    hint: 'Publish with --strategy multipath, or connect with --strategy fallback or load-balance.',
  })
}
