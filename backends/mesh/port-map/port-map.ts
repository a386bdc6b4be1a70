import { isIPv4, type AddressInfo } from 'node:net'
import { backoffDelayMs, sensitive, type Clock, type Logger } from '../../../core/index.ts'
import { localAddresses, reachOf } from '../local-addresses.ts'
import { RouterRefusal, type Granted, type PortRequest } from './granted.ts'
import { mapByPcp, mapByPmp, pcpNonce } from './pcp.ts'
import { findRouter, type Router } from './router.ts'
import { mapByUpnp } from './upnp.ts'

/** How the router was asked. */
export type MapProtocol = 'pcp' | 'nat-pmp' | 'upnp'

/** What became of it. */
export type PortMapState =
  | { readonly state: 'asking' }
  | { readonly state: 'mapped'; readonly protocol: MapProtocol; readonly host: string; readonly port: number; readonly until: number }
  | { readonly state: 'none'; readonly reason: string }

/** What a mapping is made of. */
export interface PortMapOptions {
  /** The local TCP port. */
  readonly port: number
  readonly clock: Clock
  readonly logger: Logger
  /** Told of every change. */
  readonly onChange: (state: PortMapState) => void
  /** The router; the one behind the default route when absent. */
  readonly findRouter?: () => Promise<Router | undefined>
}

/** An hour: a mapping whose owner died is gone soon, and routers that grant less say so. */
const LIFETIME_SECONDS = 3_600
/** Renewed when half of it is over (RFC 6887 section 11.2.1), and no more often than this. */
const SHORTEST_RENEWAL_MS = 30_000
/** Again after a failure: a router may be restarting, or be another one by now. */
const RETRY = { baseMs: 60_000, maxMs: 1_800_000 }
/** All three ways, with their waits: 2 + 2 + 12 s. */
const ASK_LIMIT_MS = 20_000
/** Nobody waits longer for a router when Beam ends; the mapping ends by itself. */
const REMOVE_LIMIT_MS = 1_500

/** Keeps one port of this machine open at the router: asked for by PCP, else NAT-PMP, else UPnP, renewed, and given back at the end. */
export class PortMap implements AsyncDisposable {
  readonly #options: PortMapOptions
  readonly #ending = new AbortController()
  readonly #nonce = pcpNonce()
  #state: PortMapState = { state: 'asking' }
  #granted: Granted | undefined
  #asking: Promise<void> | undefined
  #failures = 0
  #cancel: () => void = () => {}

  constructor(options: PortMapOptions) {
    this.#options = options
    this.#asking = this.#ask()
  }

  get state(): PortMapState {
    return this.#state
  }

  /** The machine's addresses have changed: the router may be another one. */
  wake(): void {
    if (this.#ending.signal.aborted || this.#asking !== undefined) return
    this.#cancel()
    this.#asking = this.#ask()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('the port is needed no more'))
    this.#cancel()
    await this.#asking
    await this.#remove()
  }

  async #ask(): Promise<void> {
    const { clock, port, logger } = this.#options
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ASK_LIMIT_MS)])
    let nextMs: number
    try {
      const router = await (this.#options.findRouter ?? findRouter)()
      if (router === undefined) throw new RouterRefusal('this machine has no router')
      const { protocol, granted } = await this.#askAll(router, signal)
      this.#granted = granted
      if (reachOf(granted.host) !== 'world') {
        await this.#remove()
        throw new RouterRefusal('the router has no public address itself: another translator is in front of it')
      }
      this.#failures = 0
      const lifetimeMs = Math.min(granted.lifetimeSeconds, LIFETIME_SECONDS) * 1000
      nextMs = Math.max(SHORTEST_RENEWAL_MS, lifetimeMs / 2)
      this.#change({ state: 'mapped', protocol, host: granted.host, port: granted.port, until: clock.now() + lifetimeMs })
    } catch (error) {
      if (this.#ending.signal.aborted) return
      nextMs = RETRY.baseMs / 2 + backoffDelayMs(this.#failures++, RETRY)
      const reason = error instanceof RouterRefusal ? error.message : signal.aborted ? 'no answer' : String(error)
      logger.debug('no port mapping', { port, reason: sensitive(reason) })
      this.#granted = undefined
      this.#change({ state: 'none', reason })
    } finally {
      this.#asking = undefined
    }
    if (!this.#ending.signal.aborted) this.#cancel = clock.after(nextMs, () => this.wake(), { unref: true })
  }

  /** By the first way that the router understands. */
  async #askAll(router: Router, signal: AbortSignal): Promise<{ protocol: MapProtocol; granted: Granted }> {
    const { port } = this.#options
    const request: PortRequest = { port, suggested: this.#granted?.port ?? port, lifetimeSeconds: LIFETIME_SECONDS }
    const ways: ReadonlyArray<readonly [MapProtocol, () => Promise<Granted>]> = [
      ['pcp', () => mapByPcp(router, request, this.#nonce, signal)],
      ['nat-pmp', () => mapByPmp(router, request, signal)],
      ['upnp', () => mapByUpnp(router, request, signal)],
    ]
    const reasons: string[] = []
    for (const [protocol, ask] of ways) {
      try {
        return { protocol, granted: await ask() }
      } catch (error) {
        if (!(error instanceof RouterRefusal)) throw error
        reasons.push(`${protocol}: ${error.message}`)
      }
    }
    throw new RouterRefusal(reasons.join('; '))
  }

  async #remove(): Promise<void> {
    const granted = this.#granted
    this.#granted = undefined
    if (granted === undefined) return
    await granted
      .remove(AbortSignal.timeout(REMOVE_LIMIT_MS))
      .catch((error: unknown) => this.#options.logger.debug('the port mapping was not given back', { reason: String(error) }))
  }

  #change(state: PortMapState): void {
    const before = this.#state
    this.#state = state
    // A renewal that changes nothing but its end is no news.
    const same = before.state === 'mapped' && state.state === 'mapped' && before.host === state.host && before.port === state.port
    if (!same) this.#options.onChange(state)
  }
}

/** Whether a router has to be asked for the port of a listener: it is in a local network, and has no public IPv4 address of its own. */
export function needsPortMap({ address }: AddressInfo): boolean {
  const reaches = localAddresses(address)
    .filter((host) => isIPv4(host))
    .map(reachOf)
  return reaches.includes('site') && !reaches.includes('world')
}

/** What people are told of a change; undefined while there is nothing to tell. */
export function portMapMessage(state: PortMapState): string | undefined {
  if (state.state === 'asking') return undefined
  if (state.state === 'none') return `The router opens no port for it: ${state.reason}`
  return `The router leads ${state.host}:${state.port} here (${state.protocol})`
}
