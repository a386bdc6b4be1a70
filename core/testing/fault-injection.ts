import type { Duplex } from 'node:stream'
import type { BackendStatus, NetworkBackend, StreamHandler, TunnelEvent, TunnelInfo, TunnelOptions } from '../backend.ts'
import { isDialler, isMessageNetwork, type Dialler, type DialOptions, type MessageNetwork } from '../powers.ts'
import { sleep, systemClock, type Clock } from '../clock.ts'
import { BackendUnavailableError, UnreachableError } from '../errors.ts'
import { resetStream } from '../streams/index.ts'
import { LocalService } from '../tunnels/local-service.ts'
import { FaultControl, type Faults } from './fault-control.ts'
import { FaultyStream } from './faulty-stream.ts'

/** A backend with faults, and the switches for them. */
export type Faulty<Backend extends NetworkBackend> = Backend & { readonly faults: FaultControl }

/**
 * Wraps a backend of any kind so that it fails on purpose, on both sides: streams that it dials and streams that come to its tunnels.
 * What the backend can do besides (dialling, messages, sites) stays. Without faults it behaves as the backend does.
 *
 * @example
 * const backend = faulty(new MemoryBackend(), { seed: 7, drop: 0.1, delayMs: [5, 20] })
 * backend.faults.set({ down: true })
 */
export function faulty<Backend extends NetworkBackend>(backend: Backend, faults: Faults = {}, clock: Clock = systemClock): Faulty<Backend> {
  const control = new FaultControl(faults)
  const injected = new Injection(backend, control, clock)
  const replaced = new Map<PropertyKey, unknown>(Object.entries(injected.methods()))
  replaced.set('faults', control)
  return new Proxy(backend, {
    get(target, key) {
      if (replaced.has(key)) return replaced.get(key)
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    has: (target, key) => replaced.has(key) || Reflect.has(target, key),
  }) as Faulty<Backend>
}

interface FaultyTunnel {
  readonly info: TunnelInfo
  readonly service: LocalService
  readonly onEvent: ((event: TunnelEvent) => void) | undefined
}

class Injection {
  readonly #backend: NetworkBackend
  readonly #control: FaultControl
  readonly #clock: Clock
  readonly #streams = new Set<FaultyStream>()
  readonly #tunnels = new Map<string, FaultyTunnel>()
  #down: boolean

  constructor(backend: NetworkBackend, control: FaultControl, clock: Clock) {
    this.#backend = backend
    this.#control = control
    this.#clock = clock
    this.#down = control.current.down === true
    control.onChange(({ down = false, silent = false }) => {
      this.#switch(down)
      this.#hold(silent)
    })
  }

  /** The methods that take the place of the backend's own: only of those that it has. */
  methods(): Record<string, unknown> {
    const backend = this.#backend
    return {
      initialize: (options?: { signal?: AbortSignal }) => this.#initialize(options),
      startTunnel: (port: number, options?: TunnelOptions) => this.#startTunnel(port, options),
      stopTunnel: (id: string) => this.#stopTunnel(id),
      getStatus: () => this.#getStatus(),
      ...(isDialler(backend) && {
        reach: (address: string, options?: DialOptions) => this.#through(options?.signal, () => backend.reach(address, options)),
        dial: (address: string, options?: DialOptions) => this.#dial(backend, address, options),
      }),
      ...(isMessageNetwork(backend) && {
        send: (address: string, message: Uint8Array, options?: { signal?: AbortSignal }) => this.#send(backend, address, message, options),
      }),
    }
  }

  async #initialize(options: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#control.current.failInitialize === true) throw unavailable('initialize')
    await this.#backend.initialize(options)
  }

  async #startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    options.signal?.throwIfAborted()
    if (this.#down || this.#control.current.failStart === true) throw unavailable('startTunnel')
    const service = new LocalService({ host: options.host ?? 'localhost', port }, { clock: this.#clock })
    const handle = options.onStream ?? service.handle
    const onStream: StreamHandler = (stream, visitor) => handle(this.#wrap(stream), visitor)
    const info = await this.#backend.startTunnel(port, { ...options, onStream })
    this.#tunnels.set(info.id, { info, service, onEvent: options.onEvent })
    return info
  }

  async #stopTunnel(id: string): Promise<void> {
    this.#tunnels.get(id)?.service.close()
    this.#tunnels.delete(id)
    await this.#backend.stopTunnel(id)
  }

  async #getStatus(): Promise<BackendStatus> {
    const status = await this.#backend.getStatus()
    if (!this.#down) return status
    const tunnels = status.tunnels.map((tunnel) => ({
      ...tunnel,
      endpoints: tunnel.endpoints.map((one) => ({ ...one, state: 'down' as const })),
    }))
    return { ...status, state: 'failed', message: 'It is down on purpose.', tunnels }
  }

  async #dial(backend: Dialler, address: string, options?: DialOptions): Promise<Duplex> {
    return this.#through(options?.signal, async () => this.#wrap(await backend.dial(address, options)))
  }

  async #through<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    if (this.#down) throw unavailable('dial')
    const dropped = this.#control.drops()
    const delayMs = this.#control.delayMs()
    if (delayMs > 0) await sleep(delayMs, { signal, clock: this.#clock })
    await this.#spoken(signal)
    if (dropped) throw new UnreachableError('The dial was lost on purpose.', { retry: 'now' })
    return call()
  }

  async #send(backend: MessageNetwork, address: string, message: Uint8Array, options?: { signal?: AbortSignal }): Promise<void> {
    options?.signal?.throwIfAborted()
    if (this.#down) throw unavailable('send')
    if (this.#control.drops()) return
    const delayMs = this.#control.delayMs()
    if (delayMs > 0) await sleep(delayMs, { signal: options?.signal, clock: this.#clock })
    await backend.send(address, message, options)
  }

  #wrap(inner: Duplex): Duplex {
    const control = this.#control
    const stream = new FaultyStream(
      inner,
      {
        delayMs: () => control.delayMs(),
        bytesPerSecond: () => control.current.bytesPerSecond ?? Infinity,
        resetAfterBytes: () => control.current.resetAfterBytes ?? Infinity,
        truncateAfterBytes: () => control.current.truncateAfterBytes ?? Infinity,
      },
      this.#clock,
    )
    this.#streams.add(stream)
    if (control.current.silent === true) stream.hold(true)
    // An error before the caller listens must not end the process; 'close' tells it all the same.
    stream.on('error', () => {})
    stream.once('close', () => this.#streams.delete(stream))
    if (this.#down) resetStream(stream, unavailable('stream'))
    return stream
  }

  /** Waits while the network is silent. */
  #spoken(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#control.current.silent !== true) return resolve()
      const onAbort = (): void => {
        stop()
        reject(signal?.reason)
      }
      const stop = this.#control.onChange(({ silent }) => {
        if (silent === true) return
        stop()
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
      if (signal?.aborted === true) onAbort()
    })
  }

  #hold(held: boolean): void {
    for (const stream of this.#streams) stream.hold(held)
  }

  #switch(down: boolean): void {
    if (this.#down === down) return
    this.#down = down
    if (down) for (const stream of this.#streams) resetStream(stream, unavailable('stream'))
    const [state, reason] = down ? (['down', 'down on purpose'] as const) : (['active', 'up again'] as const)
    for (const { info, onEvent } of this.#tunnels.values()) {
      for (const { address } of info.endpoints) onEvent?.({ type: 'state', address, state, reason })
    }
  }
}

function unavailable(what: string): BackendUnavailableError {
  return new BackendUnavailableError(`${what} failed on purpose.`, { retry: 'now' })
}
