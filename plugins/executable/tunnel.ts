import {
  LocalService,
  type Clock,
  type Endpoint,
  type EndpointState,
  type Logger,
  type TunnelEvent,
  type TunnelInfo,
  type TunnelOptions,
} from '../../core/index.ts'
import { StreamDoor, type DoorFigures } from './door.ts'
import type { Methods } from './messages.ts'

/** What a tunnel needs. */
export interface TunnelParts {
  readonly backend: string
  readonly id: string
  readonly port: number
  readonly options: TunnelOptions
  /** Whether the publisher may learn a visitor's network address. */
  readonly exposesVisitorIp: boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** Addresses that one tunnel can have over time; a restart may change them. */
const MAX_ADDRESSES_PER_TUNNEL = 256

/** One tunnel of an executable: the door for its visitors, and what is known of its endpoints. It outlives the executable's restarts. */
export class ExecutableTunnel {
  readonly id: string
  readonly #parts: TunnelParts
  readonly #door: StreamDoor
  readonly #service: LocalService | undefined
  readonly #told = new Set<string>()
  #endpoints: readonly Endpoint[] = []

  private constructor(parts: TunnelParts, door: StreamDoor, service: LocalService | undefined) {
    this.id = parts.id
    this.#parts = parts
    this.#door = door
    this.#service = service
  }

  /** Opens the door; nothing is published yet. */
  static async open(parts: TunnelParts): Promise<ExecutableTunnel> {
    const { backend, clock, logger, options, port } = parts
    const service =
      options.onStream === undefined ? new LocalService({ host: options.host ?? 'localhost', port }, { clock, logger }) : undefined
    const onStream = options.onStream ?? service?.handle
    const door = await StreamDoor.open({
      backend,
      clock,
      onStream: (stream, { remoteAddress, ...visitor }) =>
        onStream?.(stream, parts.exposesVisitorIp && remoteAddress !== undefined ? { ...visitor, remoteAddress } : visitor),
    })
    return new ExecutableTunnel(parts, door, service)
  }

  /** What the executable is asked for. */
  get request(): Methods['create_tunnel']['params'] {
    const { id, port, options } = this.#parts
    const { name, domain, access, network } = options
    return {
      id,
      port,
      ...(name === undefined ? {} : { name }),
      ...(domain === undefined ? {} : { domain }),
      ...(access === undefined ? {} : { access }),
      ...(network === undefined ? {} : { network }),
      streams: this.#door.target,
    }
  }

  get info(): TunnelInfo {
    const { backend, id, port, options } = this.#parts
    return { id, backend, ...(options.name === undefined ? {} : { name: options.name }), port, endpoints: this.#endpoints }
  }

  get figures(): DoorFigures {
    return this.#door.figures
  }

  /** Tells the tunnel's owner an address, once each. */
  address(address: string): void {
    if (this.#told.has(address)) return
    // An executable that makes addresses up without end is told apart by this limit.
    if (this.#told.size >= MAX_ADDRESSES_PER_TUNNEL) return
    this.#told.add(address)
    this.tell({ type: 'address', address })
  }

  /** Tells the tunnel's owner. A handler that throws is the owner's fault and must not end this backend. */
  tell(event: TunnelEvent): void {
    try {
      this.#parts.options.onEvent?.(event)
    } catch (error) {
      this.#parts.logger.warn('an event handler threw', { tunnel: this.id, error: String(error) })
    }
  }

  /** The executable published the tunnel (again). */
  published(endpoints: Methods['create_tunnel']['result']['endpoints'], how: 'first' | 'again'): void {
    const { backend } = this.#parts
    this.#endpoints = endpoints.map(({ address, state, reveals }) => ({ backend, address, state, reveals }))
    for (const { address, state } of this.#endpoints) {
      this.address(address)
      if (how === 'again') this.tell({ type: 'state', address, state, reason: 'the backend was restarted' })
    }
  }

  /** The executable says how an endpoint is. Addresses that it did not name are none of this tunnel. */
  changed(address: string, state: EndpointState, reason: string): void {
    const known = this.#endpoints.find((endpoint) => endpoint.address === address)
    if (known === undefined || known.state === state) return
    this.#endpoints = this.#endpoints.map((endpoint) => (endpoint === known ? { ...known, state } : endpoint))
    this.tell({ type: 'state', address, state, reason })
  }

  /** The executable is gone: no endpoint works, and no stream either. */
  lost(reason: string): void {
    for (const { address } of this.#endpoints) this.changed(address, 'down', reason)
    this.#door.resetStreams()
  }

  /** Ends it with all its streams. */
  async close(): Promise<void> {
    await this.#door.close()
    this.#service?.close()
  }
}
