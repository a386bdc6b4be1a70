import { backoffDelayMs } from '../../core/backoff.ts'
import { sleep } from '../../core/clock.ts'
import type { KeyStore } from '../../core/identity/key-store.ts'
import type { Logger } from '../../core/logger.ts'
import type { PublishEvent } from '../../core/tunnels/events.ts'
import { newTunnelId } from '../../core/tunnels/ids.ts'
import type { CarriedTunnel } from './carried-tunnel.ts'
import { Carrier } from './carrier.ts'
import type { ControlHost, HostedTunnel } from './host.ts'
import type { Instances, Lease } from './instances.ts'
import { tunnelOf } from './journal.ts'
import type { KeptTunnel, KeptTunnels } from './kept-tunnels.ts'
import { operateAll } from './operate-all.ts'
import type { MigrateRequest, OperationData, ProcessInfo, PublishRequest, StreamEnd } from './protocol.ts'

/** How long a kept tunnel that could not be published waits: the cause may be gone in a moment, or in a day. */
const RETRY = { baseMs: 2_000, maxMs: 60_000 } as const

/** What the daemon does for commands: it publishes, and keeps what is left with it. */
export class DaemonHost implements ControlHost {
  readonly info: ProcessInfo
  readonly carrier = new Carrier()
  readonly shutdown: () => void
  readonly #instances: Instances
  readonly #kept: KeptTunnels
  readonly #keys: Pick<KeyStore, 'forget'>
  readonly #logger: Logger
  /** What follows when a tunnel ended. */
  readonly #ends = new Map<string, (end: StreamEnd) => Promise<void>>()

  constructor(components: {
    readonly info: ProcessInfo
    readonly instances: Instances
    readonly kept: KeptTunnels
    readonly keys: Pick<KeyStore, 'forget'>
    readonly logger: Logger
    readonly shutdown: () => void
  }) {
    this.info = components.info
    this.shutdown = components.shutdown
    this.#instances = components.instances
    this.#kept = components.kept
    this.#keys = components.keys
    this.#logger = components.logger
  }

  /** Publishes what was left with the daemon before it ended last. Each is tried until it works or is stopped. */
  restore(tunnels: readonly KeptTunnel[]): void {
    for (const kept of tunnels) void this.#restoreOne(kept)
  }

  async publish(request: PublishRequest, onEvent: (event: PublishEvent) => void, signal: AbortSignal): Promise<HostedTunnel> {
    const { detach, source, options } = request
    const id = newTunnelId()
    const named = options.name !== undefined
    // The address of a tunnel that is kept has to survive a restart, and a name is what keeps an address.
    const complete = named || !detach ? request : { ...request, options: { ...options, name: `unnamed-${id}` } }
    const lease = await this.#instances.lease(source)
    const gate = new Gate(onEvent, detach)
    const tunnel = this.#carry({ id, since: new Date().toISOString(), named, request: complete }, (event) => gate.pass(event))
    const ended = this.#onEnd(id, lease)
    try {
      await tunnel.start(lease.beam, signal)
      if (detach) await this.#keep({ id, since: tunnel.record().since, named, request: complete })
    } catch (error) {
      const asked = tunnel.signal.aborted && !signal.aborted
      await this.#end(id, 'it could not be published', 'asked')
      // Somebody ended it before it was ready: that is no failure.
      if (asked) return { id, ended, stop: async () => {} }
      throw error
    }
    gate.open()
    return {
      id,
      ended: detach ? Promise.resolve('kept') : ended,
      stop: detach ? async () => {} : (reason) => this.#end(id, reason, 'asked'),
    }
  }

  async stop(id: string, reason: string): Promise<boolean> {
    if (this.carrier.get(id) === undefined) return false
    const kept = this.#kept.get(id)
    // First on the disk: what somebody ended must not come back.
    await this.#kept.remove(id)
    await this.#end(id, reason, 'asked')
    if (kept?.named === false) await this.#forgetKey(kept)
    return true
  }

  async operate(backend: string, operation: string, input: OperationData, signal: AbortSignal): Promise<readonly OperationData[]> {
    return operateAll(await this.#instances.running(), { backend, operation, input, signal })
  }

  async migrate(id: string, request: MigrateRequest, signal: AbortSignal): Promise<boolean> {
    const backends = await this.carrier.migrate(id, request, signal)
    const kept = this.#kept.get(id)
    if (backends !== undefined && kept !== undefined) await this.#kept.replace(movedTo(kept, backends, request.allowExposure))
    return backends !== undefined
  }

  /** Ends everything; what is kept comes back when a daemon starts again. */
  async close(): Promise<void> {
    await Promise.allSettled(this.carrier.records().map(({ id }) => this.#end(id, 'the daemon was stopped', 'daemon')))
  }

  async #keep(kept: KeptTunnel): Promise<void> {
    await this.#kept.add(kept)
    // Somebody stopped it while it was written.
    if (this.carrier.get(kept.id) === undefined) await this.#kept.remove(kept.id)
  }

  /** Nobody can ask again for an address whose name the daemon made up. */
  async #forgetKey({ request: { options } }: KeptTunnel): Promise<void> {
    if (options.name === undefined) return
    await this.#keys
      .forget(options.name)
      .catch((error: unknown) =>
        this.#logger.warn('the key of an unnamed tunnel could not be removed', { reason: (error as Error).message }),
      )
  }

  #carry({ id, since, request }: KeptTunnel, onEvent: (event: PublishEvent) => void): CarriedTunnel {
    const { target, options, detach, source } = request
    const config = source.declared === true ? source.config : undefined
    return this.carrier.add({ id, target, options, kept: detach, config, since }, (event) => {
      this.#logger.info('tunnel event', { tunnel: tunnelOf(event), ...logged(event) })
      onEvent(event)
    })
  }

  /** Notes what is to be done when a tunnel ended; the promise tells how it did. */
  #onEnd(id: string, lease: Lease): Promise<StreamEnd> {
    return new Promise((resolve) => {
      this.#ends.set(id, async (end) => {
        await lease.release()
        resolve(end)
      })
    })
  }

  async #end(id: string, reason: string, end: StreamEnd): Promise<void> {
    const onEnd = this.#ends.get(id)
    this.#ends.delete(id)
    await this.carrier.stop(id, reason)
    await onEnd?.(end)
  }

  async #restoreOne(kept: KeptTunnel): Promise<void> {
    const tunnel = this.#carry(kept, () => {})
    for (let attempt = 0; !tunnel.signal.aborted; attempt++) {
      let lease: Lease | undefined
      try {
        lease = await this.#instances.lease(kept.request.source)
        await tunnel.start(lease.beam)
        void this.#onEnd(kept.id, lease)
        return
      } catch (error) {
        await lease?.release()
        if (tunnel.signal.aborted) return
        tunnel.wait(error)
        this.#logger.warn('a kept tunnel could not be published and is tried again', { tunnel: kept.id, reason: (error as Error).message })
        await sleep(backoffDelayMs(attempt, RETRY), { signal: tunnel.signal }).catch(() => {})
      }
    }
  }
}

/** A kept tunnel with the backends that it uses now: after a restart of the daemon it is published there. */
function movedTo(kept: KeptTunnel, backends: readonly string[], allowExposure: boolean | undefined): KeptTunnel {
  // What it was asked to offer was weighed when it was published; the user has chosen since.
  const { budget: _, ...options } = kept.request.options
  return {
    ...kept,
    request: { ...kept.request, options: { ...options, backends, ...(allowExposure === true ? { allowExposure } : {}) } },
  }
}

/** Holds `ready` and what follows back until the daemon has made sure that the tunnel will be kept. */
class Gate {
  readonly #onEvent: (event: PublishEvent) => void
  #held: PublishEvent[] | undefined
  readonly #closesAtReady: boolean

  constructor(onEvent: (event: PublishEvent) => void, closesAtReady: boolean) {
    this.#onEvent = onEvent
    this.#closesAtReady = closesAtReady
  }

  pass(event: PublishEvent): void {
    if (this.#closesAtReady && event.event === 'ready') this.#held ??= []
    if (this.#held === undefined) this.#onEvent(event)
    else this.#held.push(event)
  }

  open(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const event of held) this.#onEvent(event)
  }
}

/** What the log keeps of an event: nothing that says who or where the publisher is. */
function logged(event: PublishEvent): Record<string, unknown> {
  const { event: what } = event
  switch (event.event) {
    case 'progress':
      return { what, backend: event.backend, phase: event.phase, percent: event.percent }
    case 'down':
    case 'up':
      return { what, of: event.what, backend: event.backend, reason: event.reason }
    case 'failover':
      return { what, from: event.from, to: event.to, reason: event.reason }
    case 'warning':
    case 'error':
      return { what, code: event.code, reason: event.message }
    case 'stopped':
      return { what, reason: event.reason }
    case 'address':
      return { what, backend: event.backend }
    case 'ready':
      return { what, name: event.tunnel.name, port: event.tunnel.port }
  }
}
