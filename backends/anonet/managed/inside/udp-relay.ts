import { createSocket, type Socket } from 'node:dgram'
import type { Endpoint } from '../endpoint.ts'

/** Places from which packets of one link may come at a time: a friend's own, and a few that he moved to. Others replace the oldest. */
const MAX_REMOTES = 16
const LOOPBACK = '127.0.0.1'

interface Remote {
  readonly place: Endpoint
  readonly inner: Socket
}

/**
 * Carries one link's packets between a UDP socket of the outside and WireGuard inside. Each place outside has a loopback port of its own
 * inside, so that WireGuard sees who moved and follows only whom it has authenticated.
 */
export class UdpRelay {
  readonly #outer: Socket
  readonly #wireguardPort: number
  readonly #remotes = new Map<string, Promise<Remote>>()
  #closed = false

  constructor(outer: Socket, wireguardPort: number) {
    this.#outer = outer
    this.#wireguardPort = wireguardPort
    outer.on('message', (packet, { address, port }) => void this.#inwards(packet, { host: plain(address), port }))
    outer.on('error', () => {})
  }

  /** Where WireGuard finds a place of the outside. */
  async inside(place: Endpoint): Promise<Endpoint> {
    const { inner } = await this.#remote(place)
    return { host: LOOPBACK, port: inner.address().port }
  }

  close(): void {
    this.#closed = true
    this.#outer.close()
    for (const remote of this.#remotes.values()) void remote.then(({ inner }) => inner.close())
    this.#remotes.clear()
  }

  async #inwards(packet: Buffer, place: Endpoint): Promise<void> {
    const { inner } = await this.#remote(place)
    if (!this.#closed) inner.send(packet, this.#wireguardPort, LOOPBACK)
  }

  #remote(place: Endpoint): Promise<Remote> {
    const key = `${place.host} ${place.port}`
    const known = this.#remotes.get(key)
    if (known !== undefined) return known
    const remote = this.#open(place)
    this.#remotes.set(key, remote)
    const [oldest] = this.#remotes.keys()
    if (this.#remotes.size > MAX_REMOTES && oldest !== undefined) {
      void this.#remotes.get(oldest)?.then(({ inner }) => inner.close())
      this.#remotes.delete(oldest)
    }
    return remote
  }

  #open(place: Endpoint): Promise<Remote> {
    return new Promise((resolve, reject) => {
      const inner = createSocket('udp4')
      inner.once('error', reject)
      inner.on('message', (packet, { port }) => {
        // Nobody else is in the namespace; a packet of somebody else would not get past WireGuard either.
        if (port === this.#wireguardPort && !this.#closed) this.#outer.send(packet, place.port, this.#outwards(place.host))
      })
      inner.bind(0, LOOPBACK, () => resolve({ place, inner }))
    })
  }

  /** A socket for both families wants IPv4 addresses in IPv6's form. */
  #outwards(host: string): string {
    return this.#outer.address().family === 'IPv6' && !host.includes(':') ? `::ffff:${host}` : host
  }
}

function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
