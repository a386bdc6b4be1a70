import { BackendUnavailableError, UnsupportedError, type Clock } from '../../../../core/index.ts'
import { refusedWith } from '../control/control-error.ts'
import type { DaemonSession } from '../daemon/session.ts'
import { generateClientKeyPair } from '../keys/client-key.ts'
import { expandedKey, type OnionKey } from '../keys/onion-key.ts'
import { cutVisitors } from './cut-visitors.ts'
import { addOnion, nobodysKey } from './onion-command.ts'
import type { PassedPort } from './local-target.ts'
import type { OnionPublishOptions } from './publish-options.ts'

/** What the daemon is told of a service. */
export interface AnnouncementSetup {
  readonly key: OnionKey
  /** Where the daemon passes visitors on, asked each time. */
  readonly targets: () => Promise<readonly PassedPort[]>
  /** Who may visit, asked each time; undefined = everybody. */
  readonly clients: () => Promise<readonly string[] | undefined>
  readonly options: OnionPublishOptions
  readonly nonAnonymous: boolean
  readonly clock: Clock
}

/** One service at one daemon, from ADD_ONION to DEL_ONION. It belongs to the control connection and ends with it. */
export class Announcement {
  readonly session: DaemonSession
  readonly #setup: AnnouncementSetup
  #added = false
  #checkKey = false

  constructor(session: DaemonSession, setup: AnnouncementSetup) {
    this.session = session
    this.#setup = setup
  }

  /** Whether we can see for ourselves that it is reached. */
  get checkable(): boolean {
    return this.#setup.options.selfCheck && this.session.socks !== undefined
  }

  /** Adds it; resolves with its ports, and the keys of those who may visit (undefined = everybody). @throws BackendUnavailableError, UnsupportedError, ConfigError */
  async add(): Promise<{ readonly ports: readonly number[]; readonly clients: readonly string[] | undefined }> {
    const { key, options, nonAnonymous, targets } = this.#setup
    const [ports, allowed] = await Promise.all([targets(), this.#setup.clients()])
    const clients = await this.#knownKeys(allowed)
    // Adding a service that is there makes the daemon log a fault of its own, so one that others use is asked first.
    if (this.session.mode === 'attached' && (await this.#isPresent())) throw await this.#collision()
    try {
      await this.session.control.command(addOnion({ key: expandedKey(key), ports, clients, options, nonAnonymous }))
    } catch (error) {
      if (refusedWith(error, 550)) throw await this.#collision()
      if (refusedWith(error, 512) && options.pow !== undefined && /keyword|argument/i.test(error.message)) {
        throw new UnsupportedError('This daemon has no proof-of-work defence for services of this kind.', {
          hint: 'Update it, or leave pow out.',
          cause: error,
        })
      }
      throw error
    }
    this.#added = true
    return { ports: ports.map(({ port }) => port), clients: allowed }
  }

  /**
   * Takes from the daemon what was added, and nothing else. Visitors that are connected stay so, since the daemon leaves their circuits
   * alone, unless they are cut. That comes first: the notices of circuits that end with the service would hold up theirs.
   */
  async withdraw({ cut }: { readonly cut: boolean }): Promise<void> {
    const { control } = this.session
    const { clock, key } = this.#setup
    if (cut) await cutVisitors(control, key.id, clock)
    if (this.#added) await control.command(`DEL_ONION ${key.id}`).catch(() => {})
    this.#added = false
    if (this.#checkKey) await control.command(`ONION_CLIENT_AUTH_REMOVE ${key.id}`).catch(() => {})
    this.#checkKey = false
  }

  /** The visitors' keys; when there are any, a throw-away one of our own goes with them, so that we can check the service. */
  async #knownKeys(clients: readonly string[] | undefined): Promise<readonly string[] | undefined> {
    const { id } = this.#setup.key
    if (clients === undefined) return undefined
    if (!this.checkable) return clients.length > 0 ? clients : [nobodysKey(id)]
    const pair = generateClientKeyPair()
    await this.session.control.command(`ONION_CLIENT_AUTH_ADD ${id} x25519:${pair.privateKey}`)
    this.#checkKey = true
    return [...clients, pair.publicKey]
  }

  async #isPresent(): Promise<boolean> {
    const lists = await Promise.all(['onions/current', 'onions/detached'].map((key) => this.session.control.getInfo(key).catch(() => '')))
    return lists.some((list) => list.split('\n').includes(this.#setup.key.id))
  }

  async #collision(): Promise<BackendUnavailableError> {
    const { control } = this.session
    const { id } = this.#setup.key
    const ours = (await control.getInfo('onions/current').catch(() => '')).split('\n').includes(id)
    // One of this connection is ours, from a round that did not end well.
    if (ours) await control.command(`DEL_ONION ${id}`)
    return new BackendUnavailableError('This onion service is published already, by another program that uses the same daemon.', {
      code: 'BEAM_ERR_NAME_IN_USE',
      retry: ours ? 'now' : 'never',
      hint: 'End that one first, or choose another name with --name.',
    })
  }
}
