import type { Duplex } from 'node:stream'
import type { Progress } from '../backend.ts'
import type { DialOptions, Path } from '../powers.ts'
import type { Clock } from '../clock.ts'
import { isBeamError } from '../errors.ts'
import { PathMeter, type PathFigures } from '../routing/index.ts'
import { openStream, reach } from './dial.ts'
import { revealedBy } from './exposure.ts'
import { newTunnelId } from './ids.ts'
import { IsolationPool } from './isolation-pool.ts'
import type { DiallerHandle } from './resolve-target.ts'

/** Failures of one stream that say nothing about the way to the service. */
const STREAM_ONLY: ReadonlySet<string> = new Set(['BEAM_ERR_SERVICE_DOWN', 'BEAM_ERR_STREAM_RESET'])
/** A way that was heard so recently needs no question before a connection goes over it. */
const FRESH_MS = 1_000

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
  readonly #clock: Clock
  readonly #pool: IsolationPool
  #heardAt = -Infinity

  constructor(target: WayTarget, options: { readonly label: string; readonly clock: Clock; readonly circuits: number }) {
    this.target = target
    this.label = options.label
    this.#clock = options.clock
    this.meter = new PathMeter(options.clock)
    this.#pool = new IsolationPool(target.dial?.isolation ?? newTunnelId(), options.circuits)
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

  /** Reaches the service's end and measures. */
  async reach(signal: AbortSignal | undefined, onProgress?: (progress: Progress) => void): Promise<Path> {
    const { handle, address, dial } = this.target
    const from = this.#clock.monotonic()
    try {
      const path = await reach({
        handle,
        address,
        clock: this.#clock,
        ...dial,
        ...(onProgress === undefined ? {} : { onProgress }),
        ...(signal === undefined ? {} : { signal }),
      })
      this.path = path
      this.#answered(path.latencyMs ?? this.#clock.monotonic() - from, 'probe')
      return path
    } catch (error) {
      if (signal?.aborted !== true) this.failed(error, 'probe')
      throw error
    }
  }

  /** A stream to the service. `confirm`: not before the way has shown that it lives, unless it has just done so. */
  async dial(options: { readonly signal: AbortSignal; readonly confirm?: boolean }): Promise<Duplex> {
    const { isolation, release } = this.#pool.take()
    const from = this.#clock.monotonic()
    const confirm = options.confirm === true && from - this.#heardAt > FRESH_MS
    try {
      const { handle, address, dial } = this.target
      const stream = await openStream({
        handle,
        address,
        clock: this.#clock,
        ...dial,
        isolation,
        signal: options.signal,
        ...(confirm ? { confirm } : {}),
      })
      if (stream.closed) release()
      else stream.once('close', release)
      // Where a stream is handed out before anything was heard, the time tells nothing.
      if (confirm) this.#answered(this.#clock.monotonic() - from, 'traffic')
      else this.meter.health.succeeded({ by: 'traffic' })
      return stream
    } catch (error) {
      release()
      if (!options.signal.aborted) this.failed(error, 'traffic')
      throw error
    }
  }

  /** What was heard of it by other means: it lives. */
  heard(rttMs: number | undefined): void {
    this.#heardAt = this.#clock.monotonic()
    if (rttMs !== undefined) this.meter.latency(rttMs)
  }

  failed(error: unknown, by: 'traffic' | 'probe'): void {
    this.#heardAt = -Infinity
    if (!isOfTheStream(error)) this.meter.health.failed({ by })
  }

  #answered(ms: number, by: 'traffic' | 'probe'): void {
    this.heard(ms)
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
