import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { NetworkBackend, TunnelEvent, TunnelInfo, TunnelOptions, BackendStatus } from '../../../core/backend.ts'
import type { BackendCapabilities } from '../../../core/capabilities.ts'
import { BackendUnavailableError } from '../../../core/errors.ts'
import { MemoryBackend } from '../../../core/testing/memory-backend.ts'
import type { MemoryNetwork } from '../../../core/testing/memory-network.ts'
import type { BackendHandle } from '../../../core/tunnels/backend-handle.ts'

/** A memory backend whose fate the test decides. */
export class PuppetBackend extends MemoryBackend {
  /** Makes `startTunnel` fail with this message. */
  broken: string | undefined
  /** Makes `startTunnel` never answer (it still heeds its signal). */
  stuck = false
  /** Makes the backend forget its tunnels, as a daemon does that was restarted. */
  lost = false
  starts = 0
  readonly stops: string[] = []
  readonly seen: TunnelOptions[] = []
  capabilities: Partial<BackendCapabilities> = {}
  #onEvent: ((event: TunnelEvent) => void) | undefined
  #address = ''

  constructor(name: string, options: { network?: MemoryNetwork; exposes?: boolean } = {}) {
    super({ name, ...(options.network === undefined ? {} : { network: options.network }) })
    if (options.exposes === true) this.capabilities = { exposesPublisherIp: true, exposesVisitorIp: true }
  }

  override async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    this.starts += 1
    this.seen.push(options)
    if (this.stuck)
      await new Promise((_, reject) => options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error)))
    if (this.broken !== undefined) throw new BackendUnavailableError(this.broken)
    const info = await super.startTunnel(port, options)
    this.#onEvent = options.onEvent
    this.#address = info.endpoints[0]?.address ?? ''
    this.lost = false
    return info
  }

  override async stopTunnel(id: string): Promise<void> {
    this.stops.push(id)
    await super.stopTunnel(id)
  }

  override async getStatus(): Promise<BackendStatus> {
    return this.lost ? { state: 'failed', message: 'the daemon died', tunnels: [] } : super.getStatus()
  }

  override getCapabilities(): BackendCapabilities {
    return { ...super.getCapabilities(), ...this.capabilities }
  }

  /** Tells the tunnel's owner that the endpoint went down or came back. */
  say(state: 'active' | 'down', reason: string): void {
    this.#onEvent?.({ type: 'state', address: this.#address, state, reason })
  }
}

/** A handle of a backend that runs already. */
export function handleOf<B extends NetworkBackend>(backend: B): BackendHandle & { readonly backend: B } {
  return { name: backend.name, capabilities: backend.getCapabilities(), backend, ready: async () => backend }
}

/** An echo server on a loopback port; `port` is set once it listens. */
export async function echoServer(
  options: { host?: string; port?: number } = {},
): Promise<{ port: number; server: Server; close: () => Promise<void> }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, server, close: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** Time that only the test moves. */
export class ManualClock {
  #time = 0
  #timers = new Set<{ at: number; every?: number; fn: () => void }>()

  now = (): number => this.#time
  monotonic = (): number => this.#time
  after = (ms: number, fn: () => void): (() => void) => this.#add({ at: this.#time + ms, fn })
  every = (ms: number, fn: () => void): (() => void) => this.#add({ at: this.#time + ms, every: ms, fn })

  /** Lets `ms` pass in steps, so that what follows from one timer can set the next. */
  async pass(ms: number): Promise<void> {
    const end = this.#time + ms
    while (this.#time < end) {
      this.#time = Math.min(end, this.#time + 500)
      for (const timer of [...this.#timers]) {
        if (timer.at > this.#time) continue
        if (timer.every === undefined) this.#timers.delete(timer)
        else timer.at = this.#time + timer.every
        timer.fn()
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Timers that are still set. */
  get pending(): number {
    return this.#timers.size
  }

  #add(timer: { at: number; every?: number; fn: () => void }): () => void {
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }
}

/** What a promise is rejected with, heard from now on; undefined when it resolves. */
export function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => undefined,
    (error: unknown) => error,
  )
}
