import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import {
  BackendUnavailableError,
  ConfigError,
  isBeamError,
  resetStream,
  sleep,
  UnreachableError,
  type Clock,
  type DialOptions,
  type Path,
} from '../../../core/index.ts'
import { parseAddress, type OnionAddress } from './address.ts'
import { refusedWith } from './control/control-error.ts'
import { parseFields } from './control/fields.ts'
import type { DaemonSession } from './daemon/session.ts'
import type { Supervisor } from './daemon/supervisor.ts'
import { waitForNetwork } from './daemon/wait-for-network.ts'
import type { Flavour } from './flavour.ts'
import { parseClientPrivateKey } from './keys/client-key.ts'
import { socksConnect } from './socks/socks-client.ts'
import { SOCKS, socksError } from './socks/socks-error.ts'
import { StreamEndings } from './socks/stream-endings.ts'
import { reachService } from './service/self-check.ts'

/** Refused ports that are remembered; more than anybody tries by hand. */
const MAX_REFUSED = 1_024
/** Relays between the two ends: three of each, the last ones meeting at the rendezvous point. */
const HOPS = 6

/** A daemon answers at once; Beam has two seconds to end in all. */
const GOODBYE_MS = 500

/** What dialling is made of. */
export interface DiallerSetup {
  readonly flavour: Flavour
  readonly supervisor: Supervisor
  readonly clock: Clock
  readonly stallMs: number
}

/** The way to a service that was reached in so many milliseconds. */
export function pathOf({ backend }: Flavour, latencyMs: number): Path {
  return { backend, kind: 'onion', hops: HOPS, latencyMs }
}

/** Opens streams to onion services through the daemon's SOCKS port. */
export class OnionDialler {
  readonly #setup: DiallerSetup
  readonly #streams = new Set<Duplex>()
  /** Streams of different Beam processes on one daemon do not share circuits. */
  readonly #own = randomBytes(12).toString('hex')
  readonly #endings: StreamEndings
  /** Keys that we gave to the daemon: the address and the key's digest. */
  readonly #keys = new Map<string, string>()
  /** Ports, with their service, that were refused last time: only a stream tells whether they are offered now. */
  readonly #refused = new Set<string>()

  constructor(setup: DiallerSetup) {
    this.#setup = setup
    this.#endings = new StreamEndings(setup.clock)
    setup.supervisor.subscribe((event) => {
      if (event.type === 'stream') this.#endings.onEvent(event.text)
      if (event.type !== 'lost') return
      this.#keys.clear()
      this.#endings.onLost()
    })
  }

  /** Reaches a service end to end. */
  async reach(text: string, options: DialOptions): Promise<Path> {
    const { flavour, clock, supervisor } = this.#setup
    const { address, session, signal } = await this.#prepare(text, options)
    const started = clock.monotonic()
    const { host, port } = address
    const user = this.#user(options)
    const networkUp = supervisor.network.up
    const known = this.#refused.has(`${host}:${port}`)
    const failure = known ? undefined : await reachService({ session, flavour, host, ports: [port], user, networkUp, clock, signal })
    // Services that take any port, and daemons without extended errors, leave open whether it was reached: a stream tells.
    if (known || (failure !== undefined && isUnclear(failure))) (await this.#open(address, session, options, signal)).destroy()
    else if (failure !== undefined) throw failure
    return pathOf(flavour, Math.round(clock.monotonic() - started))
  }

  /** A stream to a service. */
  async dial(text: string, options: DialOptions): Promise<Duplex> {
    const { address, session, signal } = await this.#prepare(text, options)
    const socket = await this.#open(address, session, options, signal)
    this.#streams.add(socket)
    socket.once('close', () => this.#streams.delete(socket))
    return socket
  }

  /** Resets every stream and takes our keys back from the daemon. */
  async close(): Promise<void> {
    for (const stream of this.#streams) resetStream(stream, new BackendUnavailableError('The backend was stopped.'))
    const { session } = this.#setup.supervisor
    if (session?.mode !== 'attached') return
    const removed = [...this.#keys.keys()].map((id) => session.control.command(`ONION_CLIENT_AUTH_REMOVE ${id}`).catch(() => {}))
    // A daemon that hangs must not hold up the end of this process; it forgets the keys when it is restarted.
    const waited = new AbortController()
    await Promise.race([Promise.all(removed), sleep(GOODBYE_MS, { clock: this.#setup.clock, signal: waited.signal }).catch(() => {})])
    waited.abort()
  }

  async #prepare(
    text: string,
    { signal, network, onProgress }: DialOptions,
  ): Promise<{ address: OnionAddress; session: DaemonSession; signal: AbortSignal }> {
    signal?.throwIfAborted()
    const { flavour, supervisor, clock, stallMs } = this.#setup
    const address = parseAddress(text, flavour)
    const authKey = dialOptions(network, flavour.backend)
    const both = signal === undefined ? supervisor.ended : AbortSignal.any([signal, supervisor.ended])
    await waitForNetwork({
      supervisor,
      flavour,
      clock,
      signal: both,
      stallMs,
      ...(onProgress === undefined ? {} : { onProgress, onStalled: (message) => onProgress({ phase: 'bootstrap', message }) }),
    })
    const session = supervisor.session
    if (session?.socks === undefined) {
      throw new BackendUnavailableError(`This ${flavour.title} daemon has no SOCKS port, so nothing can be reached through it.`, {
        hint: 'Set SocksPort in its configuration, or leave the control settings out: Beam then runs a daemon of its own.',
      })
    }
    if (authKey !== undefined) await this.#authorize(address.id, authKey, session)
    return { address, session, signal: both }
  }

  async #open(address: OnionAddress, session: DaemonSession, options: DialOptions, signal: AbortSignal): Promise<Duplex> {
    const { flavour, supervisor, clock } = this.#setup
    const { socks } = session
    if (socks === undefined) throw new BackendUnavailableError('There is no SOCKS port.')
    const { host, port } = address
    const result = await socksConnect({
      proxy: socks,
      host,
      port,
      user: this.#user(options),
      onConnected: (socket) => this.#endings.watch(socket),
      clock,
      signal,
    })
    if ('socket' in result) {
      this.#refused.delete(`${host}:${port}`)
      return result.socket
    }
    if (result.code === SOCKS.refused && this.#refused.size < MAX_REFUSED) this.#refused.add(`${host}:${port}`)
    throw socksError(result.code, { flavour, address, networkUp: supervisor.network.up })
  }

  /** The same for streams that may share a circuit. What the caller says goes in as a digest: it may be long, or tell something. */
  #user({ isolation = '' }: DialOptions): { readonly user: string; readonly password: string } {
    const group = createHash('sha256').update(this.#own).update(isolation).digest('hex').slice(0, 24)
    return { user: `beam-${group}`, password: 'onion' }
  }

  /** Gives the daemon the key by which a service knows us. One that the user gave it, for the same service, is left alone. */
  async #authorize(id: string, authKey: unknown, { control, mode }: DaemonSession): Promise<void> {
    const key = parseClientPrivateKey(authKey, id)
    const digest = createHash('sha256').update(key).digest('hex')
    if (this.#keys.get(id) === digest) return
    if (mode === 'attached' && !this.#keys.has(id)) {
      const { lines } = await control.command(`ONION_CLIENT_AUTH_VIEW ${id}`)
      const present = lines.map(({ text }) => parseFields(text).words).find(([word, service]) => word === 'CLIENT' && service === id)
      if (present?.[2] === `x25519:${key}`) return
      if (present !== undefined) {
        throw new ConfigError('The daemon has another client key for this address already.', {
          hint: 'Leave --auth-key out to use that one, or remove it from the daemon.',
        })
      }
    }
    try {
      await control.command(`ONION_CLIENT_AUTH_ADD ${id} x25519:${key}`)
    } catch (error) {
      if (refusedWith(error, 512)) throw new ConfigError('The daemon does not take this client key.', { cause: error })
      throw error
    }
    this.#keys.set(id, digest)
  }
}

/** Whether a refusal may have come from the service as well as from the way to it. */
function isUnclear(error: Error): boolean {
  return error instanceof UnreachableError && isBeamError(error) && error.code === 'BEAM_ERR_PEER_UNREACHABLE'
}

function dialOptions(network: DialOptions['network'], backend: string): unknown {
  if (network === undefined) return undefined
  const unknown = Object.keys(network).find((key) => key !== 'authKey')
  if (unknown === undefined) return network['authKey']
  throw new ConfigError(`${backend} has no option ${JSON.stringify(unknown.slice(0, 64))} for a connection.`, { hint: 'It has: authKey.' })
}
