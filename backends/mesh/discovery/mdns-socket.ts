import { createSocket, type Socket } from 'node:dgram'
import { BlockList } from 'node:net'
import { networkInterfaces } from 'node:os'
import type multicastDns from 'multicast-dns'
import { backoffDelayMs, silentLogger, systemClock, type Clock, type DiscoveryStatus, type Logger } from '../../../core/index.ts'
import type { MdnsMode } from './options.ts'

/** What the multicast socket needs. */
export interface MdnsSocketOptions {
  readonly mode: MdnsMode
  /** Default: 5353 (RFC 6762 section 3). Tests take another one. */
  readonly port?: number
  readonly clock?: Clock
  readonly logger?: Logger
}

/** Takes the packets of others (and one's own). `sender` is an address of this network segment. */
export type PacketListener = (packet: multicastDns.Packet, sender: multicastDns.Sender) => void

/** IPv4 group and port of mDNS (RFC 6762 section 3). */
const GROUP = '224.0.0.251'
const PORT = 5353
/** RFC 6762 section 11: packets are sent with this TTL, so that old receivers can tell that they come from the segment. */
const MULTICAST_TTL = 255
/** How often interfaces that came or went are looked for: cable or Wi-Fi is back in use within seconds. */
const RESCAN_MS = 5_000
const BACKOFF = { baseMs: 1_000, maxMs: 60_000 }
/** Packets that wait to be sent. We send a handful a second at most; more means that the interface is stuck. */
const MAX_QUEUED = 64

/**
 * The multicast socket of this process: open while somebody uses it, on every IPv4 interface (or on 127.0.0.1 only). Interfaces may come
 * and go; when multicast is not possible it says so and tries again, but never throws.
 */
export class MdnsSocket {
  readonly mode: MdnsMode
  readonly #port: number
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #users = new Set<PacketListener>()
  readonly #stateListeners = new Set<() => void>()
  readonly #joined = new Set<string>()
  #segments = new BlockList()
  #open: { readonly socket: Socket; readonly mdns: multicastDns.MulticastDns } | undefined
  #opening = false
  #cancelTimer: (() => void) | undefined
  #failures = 0
  #state: DiscoveryStatus['state']
  #problem: string | undefined
  #sending: Promise<void> = Promise.resolve()
  #queued = 0

  constructor({ mode, port = PORT, clock = systemClock, logger = silentLogger }: MdnsSocketOptions) {
    this.mode = mode
    this.#port = port
    this.#clock = clock
    this.#logger = logger
    this.#state = mode === 'off' ? 'off' : 'idle'
  }

  status(): DiscoveryStatus {
    const detail = this.#problem ?? (this.mode === 'loopback' && this.#state === 'ready' ? 'on 127.0.0.1 only' : undefined)
    return { state: this.#state, ...(detail === undefined ? {} : { detail }) }
  }

  /** Listens, and opens the socket for the first listener. The returned function ends it, and closes the socket after the last one. */
  use(listener: PacketListener): () => void {
    if (this.mode === 'off') return () => {}
    this.#users.add(listener)
    void this.#start()
    return () => {
      if (this.#users.delete(listener) && this.#users.size === 0) this.#shut('idle', undefined)
    }
  }

  /** Calls back whenever the state has changed. The returned function ends it. */
  onState(listener: () => void): () => void {
    this.#stateListeners.add(listener)
    return () => this.#stateListeners.delete(listener)
  }

  /** Sends a packet on every interface, after those sent before. Resolves when it is out; what cannot be sent is dropped. */
  send(packet: multicastDns.Packet & { readonly type: 'query' | 'response' }): Promise<void> {
    if (this.#queued >= MAX_QUEUED) return Promise.resolve()
    this.#queued += 1
    this.#sending = this.#sending.then(async () => {
      this.#queued -= 1
      for (const address of this.#joined) await this.#sendOn(address, packet)
    })
    return this.#sending
  }

  async #sendOn(address: string, packet: multicastDns.Packet & { readonly type: 'query' | 'response' }): Promise<void> {
    const open = this.#open
    if (open === undefined) return
    try {
      open.socket.setMulticastInterface(address)
      await new Promise<void>((resolve, reject) => {
        const done = (error?: Error | null): void => (error ? reject(error) : resolve())
        if (packet.type === 'query') open.mdns.query(packet, done)
        else open.mdns.response(packet, done)
      })
    } catch (error) {
      this.#logger.debug('a multicast packet could not be sent', { code: (error as NodeJS.ErrnoException).code })
    }
  }

  async #start(): Promise<void> {
    if (this.#opening || this.#open !== undefined || this.#users.size === 0) return
    this.#cancelTimer?.()
    this.#opening = true
    if (this.#state === 'idle') this.#setState('starting', undefined)
    try {
      const { default: create } = await import('multicast-dns')
      this.#opening = false
      if (this.#users.size > 0) this.#bind(create)
    } catch (error) {
      this.#opening = false
      this.#fail(error)
    }
  }

  #bind(create: typeof multicastDns): void {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    socket.unref()
    // On loopback the socket is bound to the group itself, so that nothing but that multicast can reach it; Windows cannot do that.
    const bind = this.mode === 'loopback' && process.platform !== 'win32' ? GROUP : '0.0.0.0'
    // `multicast: false`: which interfaces to use is decided here. The library would take all, and never one that came back.
    const mdns = create({ socket, port: this.#port, bind, multicast: false })
    this.#open = { socket, mdns }
    mdns.on('error', (error: unknown) => {
      // One failure can be told twice, and the second time somebody may have opened a new socket already.
      if (this.#open?.socket === socket) this.#fail(error)
    })
    mdns.on('warning', (error: Error) => this.#logger.debug('multicast', { problem: error.message }))
    mdns.on('ready', () => {
      if (this.#open?.socket !== socket) return
      try {
        socket.setMulticastTTL(MULTICAST_TTL)
        socket.setMulticastLoopback(true)
      } catch (error) {
        this.#fail(error)
        return
      }
      this.#failures = 0
      this.#scan()
      this.#cancelTimer = this.#clock.every(RESCAN_MS, () => this.#scan())
    })
    mdns.on('packet', (packet: multicastDns.Packet, sender: multicastDns.Sender) => {
      // RFC 6762 section 11: what does not come from this segment, or from another port, is no mDNS.
      if (sender.port !== this.#port || !this.#segments.check(sender.address)) return
      for (const listener of [...this.#users]) listener(packet, sender)
    })
  }

  /** Joins the group on interfaces that came, and forgets those that went. */
  #scan(): void {
    const socket = this.#open?.socket
    if (socket === undefined) return
    const addresses = this.#interfaces()
    for (const address of this.#joined) if (!addresses.includes(address)) this.#leave(socket, address)
    let problem = addresses.length === 0 ? 'no network interface' : undefined
    for (const address of addresses) {
      try {
        socket.addMembership(GROUP, address)
        this.#joined.add(address)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        // Already a member, as nearly always. (An interface that went and came back in between has lost its membership and gets it again.)
        if (code === 'EADDRINUSE') continue
        this.#joined.delete(address)
        problem = `multicast is not possible (${code})`
      }
    }
    if (this.#joined.size > 0) this.#setState('ready', undefined)
    else this.#setState('unreachable', problem)
  }

  #leave(socket: Socket, address: string): void {
    this.#joined.delete(address)
    try {
      socket.dropMembership(GROUP, address)
    } catch {
      // It went with the interface.
    }
  }

  #interfaces(): string[] {
    const segments = new BlockList()
    const addresses: string[] = []
    for (const { family, internal, address, cidr } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
      if (family !== 'IPv4' || (this.mode === 'loopback' ? address !== '127.0.0.1' : internal)) continue
      addresses.push(address)
      segments.addSubnet(address, Number(cidr?.split('/')[1] ?? 32))
    }
    this.#segments = segments
    return addresses
  }

  #fail(error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    this.#shut('unreachable', `multicast is not possible (${code})`)
    if (this.#users.size === 0) return
    this.#cancelTimer = this.#clock.after(backoffDelayMs(this.#failures, BACKOFF), () => void this.#start(), { unref: true })
    this.#failures += 1
  }

  #shut(state: DiscoveryStatus['state'], problem: string | undefined): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#joined.clear()
    const open = this.#open
    this.#open = undefined
    // Closing twice throws; `destroy` of the library does it once.
    open?.mdns.destroy()
    this.#setState(state, problem)
  }

  #setState(state: DiscoveryStatus['state'], problem: string | undefined): void {
    const changed = state !== this.#state
    this.#state = state
    this.#problem = problem
    if (changed) for (const listener of [...this.#stateListeners]) listener()
  }
}
