import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Socket } from 'node:dgram'
import { sleep } from '../../../../core/index.ts'
import { HANDSHAKE_STALE_SECONDS, TUNNEL_MTU } from '../../constants.ts'
import { getInterface, setInterface } from '../../wireguard/uapi-client.ts'
import { endpointRequest, setRequest, type WireGuardPeer } from '../../wireguard/uapi.ts'
import { endpointText, type Endpoint } from '../endpoint.ts'
import type { InsideLink, Uplink } from '../protocol.ts'
import { run, serve, type Service } from './run.ts'
import { UdpRelay } from './udp-relay.ts'

/** The network namespace that Beam was started in, as a descriptor (only where Beam is root). */
const OUTSIDE = 3
const AS_OUTSIDE = [`--net=/proc/self/fd/${OUTSIDE}`] as const
const CONTROL_SOCKETS = '/run/wireguard'
const START_LIMIT_MS = 10_000
const POLL_MS = 5
/** A place that gave no handshake in this time is left for the next one, in milliseconds. WireGuard itself tries every 5 s. */
const NEXT_ENDPOINT_MS = 12_000

interface Running {
  readonly link: InsideLink
  readonly service: Service
  readonly relay: UdpRelay | undefined
  at: number
  triedAt: number
}

/** The WireGuard interfaces of the namespace: one for each friend. */
export class Links {
  readonly #uplink: Uplink
  readonly #running = new Map<string, Running>()
  readonly #sockets = new Map<string, Socket>()

  constructor(uplink: Uplink) {
    this.#uplink = uplink
  }

  /** Keeps a socket of the outside for a link that is to come. */
  offer(name: string, socket: Socket): void {
    this.#sockets.get(name)?.close()
    this.#sockets.set(name, socket)
  }

  /** Starts what is missing. */
  async add(links: readonly InsideLink[]): Promise<void> {
    for (const link of links) if (!this.#running.has(link.interface)) await this.#start(link)
  }

  /** Ends what is no longer wanted. */
  async keepOnly(links: readonly InsideLink[]): Promise<void> {
    const wanted = new Set(links.map((link) => link.interface))
    await Promise.all([...this.#running.keys()].filter((name) => !wanted.has(name)).map((name) => this.#stop(name)))
  }

  /** What each link has done so far. Moves on from places that do not answer. */
  async states(): Promise<Record<string, WireGuardPeer | undefined>> {
    const states: Record<string, WireGuardPeer | undefined> = {}
    for (const [name, running] of this.#running) {
      const state = await getInterface(controlSocket(name)).catch(() => undefined)
      states[name] = state?.peers[0]
      await this.#moveOn(running, states[name]).catch(() => {})
    }
    return states
  }

  async #start(link: InsideLink): Promise<void> {
    const { interface: name, ownAddress, wireguard, endpoints } = link
    const outer = this.#sockets.get(name)
    this.#sockets.delete(name)
    const env = { ...process.env, LOG_LEVEL: 'error' }
    const service =
      this.#uplink === 'direct'
        ? serve('nsenter', [...AS_OUTSIDE, 'wireguard-go', '-f', name], env, OUTSIDE)
        : serve('wireguard-go', ['-f', name], env)
    const relay = outer === undefined ? undefined : new UdpRelay(outer, wireguard.listenPort)
    const running: Running = { link, service, relay, at: 0, triedAt: Date.now() }
    this.#running.set(name, running)
    try {
      await this.#listening(name, service)
      // Its UDP socket stays where it was started; the interface comes in here. Process 1 is the first of this namespace.
      if (this.#uplink === 'direct') {
        await run(['nsenter', ...AS_OUTSIDE, 'ip', 'link', 'set', name, 'netns', '1'], OUTSIDE)
      }
      await run(['ip', 'addr', 'add', `${ownAddress}/30`, 'dev', name])
      await run(['ip', 'link', 'set', name, 'mtu', String(TUNNEL_MTU), 'up'])
      const endpoint = await this.#endpoint(running, endpoints[0])
      await setInterface(controlSocket(name), setRequest({ ...wireguard, endpoint }))
    } catch (error) {
      await this.#stop(name)
      throw error
    }
    void service.ended.then(async () => {
      // It died by itself: the friend is to be back as soon as it works again.
      if (this.#running.get(name) !== running) return
      await this.#stop(name)
      await sleep(1_000)
      if (!this.#running.has(name)) await this.#start(link).catch(() => {})
    })
  }

  async #listening(name: string, service: Service): Promise<void> {
    let gone = false
    void service.ended.then(() => (gone = true))
    for (const deadline = Date.now() + START_LIMIT_MS; !existsSync(controlSocket(name)); await sleep(POLL_MS)) {
      if (gone || Date.now() > deadline) throw new Error(`wireguard-go does not start: ${lastLine(service.said())}`)
    }
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name)
    this.#running.delete(name)
    running?.relay?.close()
    await running?.service.stop()
  }

  async #moveOn(running: Running, peer: WireGuardPeer | undefined): Promise<void> {
    const { link, triedAt } = running
    const silent = peer?.lastHandshake === undefined || Date.now() / 1_000 - peer.lastHandshake > HANDSHAKE_STALE_SECONDS
    if (!silent || link.endpoints.length < 2 || Date.now() - triedAt < NEXT_ENDPOINT_MS) return
    running.triedAt = Date.now()
    running.at = (running.at + 1) % link.endpoints.length
    const endpoint = await this.#endpoint(running, link.endpoints[running.at])
    if (endpoint !== undefined) await setInterface(controlSocket(link.interface), endpointRequest(link.wireguard.peer, endpoint))
  }

  async #endpoint({ relay }: Running, place: Endpoint | undefined): Promise<string | undefined> {
    if (place === undefined) return undefined
    return endpointText(relay === undefined ? place : await relay.inside(place))
  }
}

/** What the links of somebody else in this namespace have done. */
export async function foreignStates(): Promise<Record<string, WireGuardPeer | undefined>> {
  const states: Record<string, WireGuardPeer | undefined> = {}
  for (const file of await readdir(CONTROL_SOCKETS).catch(() => [])) {
    const state = await getInterface(join(CONTROL_SOCKETS, file)).catch(() => undefined)
    states[file.replace(/\.sock$/, '')] = state?.peers[0]
  }
  return states
}

function controlSocket(name: string): string {
  return join(CONTROL_SOCKETS, `${name}.sock`)
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
}
