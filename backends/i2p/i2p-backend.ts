import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import {
  assertPort,
  BackendUnavailableError,
  CleanupStack,
  ConfigError,
  LocalService,
  UnsupportedError,
  type BackendCapabilities,
  type BackendState,
  type BackendStatus,
  type BeamPaths,
  type Clock,
  type DialOptions,
  type Dialler,
  type DomainRegistration,
  type KeyKeeper,
  type Logger,
  type NetworkBackend,
  type NetworkStats,
  type Operable,
  type Operation,
  type Path,
  type Progress,
  type TunnelEvent,
  type TunnelInfo,
  type TunnelOptions,
} from '../../core/index.ts'
import { looksLikeI2p, parseAddress } from './address.ts'
import { AddressBook } from './book.ts'
import { capabilitiesOf } from './capabilities.ts'
import type { I2PConfig } from './config.generated.ts'
import { REACH_PATIENCE_MS } from './constants.ts'
import { I2pDialler } from './dialler.ts'
import { I2pKeyStore, readKeyFile } from './key-store.ts'
import { generateKeys, type DestinationKeys } from './keys.ts'
import { publishChoices, type PublishChoices } from './options.ts'
import { ownClientFor } from './own-client.ts'
import { openRouter } from './router/choose.ts'
import type { Router } from './router/router.ts'
import type { SamEndpoint } from './sam/connection.ts'
import { dialReveals, publishReveals, shapeWarning } from './sentences.ts'
import { Service } from './service.ts'
import type { TunnelShape } from './session-options.ts'
import { Traffic } from './traffic.ts'

/** What the I2P backend is made of. */
export interface I2pComponents {
  readonly config: I2PConfig
  readonly paths: BeamPaths
  readonly logger: Logger
  readonly clock: Clock
}

interface Running {
  readonly info: Omit<TunnelInfo, 'endpoints'>
  readonly service: Service
  readonly choices: PublishChoices
  readonly undo: CleanupStack
}

/** I2P by way of a router's SAM port: each tunnel is a destination of its own, visitors come to a relay of ours on loopback. */
export class I2pBackend implements NetworkBackend, Dialler, Operable, KeyKeeper {
  readonly name = 'i2p'
  readonly operations: readonly Operation[] = [
    { name: 'status', description: 'The router, its tunnels and sessions, and how far each published address is.', changes: false },
  ]
  readonly #components: I2pComponents
  readonly #keys: I2pKeyStore
  readonly #book: AddressBook
  readonly #dialler: I2pDialler
  readonly #shape: TunnelShape
  readonly #traffic = new Traffic()
  readonly #tunnels = new Map<string, Running>()
  /** Tunnels that are being started: who asked can call that off, and this tells when nothing of it is left. */
  readonly #starting = new Map<string, { readonly given: AbortSignal; readonly over: Promise<void> }>()
  readonly #ended = new AbortController()
  #router: Router | undefined
  #opening: Promise<Router> | undefined
  #state: BackendState = 'idle'

  constructor(components: I2pComponents) {
    const { config, paths, clock, logger } = components
    const { length, quantity, variance } = config
    this.#components = components
    this.#shape = { length, quantity, variance }
    this.#keys = new I2pKeyStore(paths)
    this.#book = new AddressBook(paths)
    this.#dialler = new I2pDialler({
      sam: (signal) => this.#sam(signal),
      shape: this.#shape,
      limits: { firstByteMs: config.first_byte_seconds * 1_000, halfCloseMs: config.half_close_seconds * 1_000 },
      keys: this.#keys,
      book: this.#book,
      clock,
      logger,
    })
  }

  async initialize(options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.#ended.signal.throwIfAborted()
    if (this.#router !== undefined) return
    this.#state = 'starting'
    const signal = AbortSignal.any([this.#ended.signal, ...(options.signal === undefined ? [] : [options.signal])])
    this.#opening ??= openRouter(this.#components, { ...options, signal })
    try {
      this.#router = await this.#opening
      this.#state = 'running'
    } catch (error) {
      this.#state = 'failed'
      throw error
    } finally {
      this.#opening = undefined
    }
  }

  async startTunnel(port: number, options: TunnelOptions = {}): Promise<TunnelInfo> {
    const { signal, access, domain } = options
    signal?.throwIfAborted()
    assertPort(port)
    if ((access?.allow?.length ?? 0) > 0 || access?.secret !== undefined) {
      throw new UnsupportedError('I2P knows no visitor keys and secrets of Beam.', {
        hint: 'It has lists of destinations (--i2p-allow) and encrypted lease sets with client keys (--i2p-client).',
      })
    }
    if (domain !== undefined) throw new UnsupportedError('I2P has no domains that Beam could register.')
    const id = options.id ?? randomBytes(6).toString('hex')
    const choices = publishChoices(options.network, this.#shape)
    const given = AbortSignal.any([this.#ended.signal, ...(signal === undefined ? [] : [signal])])
    // A start that was called off takes a moment to end, and whoever called it off may try again at once.
    for (let before = this.#starting.get(id); before?.given.aborted === true; before = this.#starting.get(id)) await before.over
    given.throwIfAborted()
    if (this.#tunnels.has(id) || this.#starting.has(id)) throw new ConfigError(`The I2P backend has a tunnel ${id} already.`)
    const work = this.#start(id, port, options, choices, given)
    const settled = (): void => {}
    this.#starting.set(id, { given, over: work.then(settled, settled) })
    try {
      return await work
    } finally {
      this.#starting.delete(id)
    }
  }

  async stopTunnel(tunnelId: string): Promise<void> {
    const running = this.#tunnels.get(tunnelId)
    this.#tunnels.delete(tunnelId)
    await running?.undo[Symbol.asyncDispose]()
  }

  async getStatus(): Promise<BackendStatus> {
    const { version, mode, sam } = this.#router?.info() ?? {}
    const message = mode === undefined ? undefined : `${mode} router${sam === undefined ? ', being started again' : `, SAM at ${sam}`}`
    return {
      state: this.#state,
      ...(message === undefined ? {} : { message }),
      ...(version === undefined ? {} : { version }),
      tunnels: [...this.#tunnels.values()].map(infoOf),
    }
  }

  async resolveDomain(): Promise<string> {
    throw new UnsupportedError('I2P has no domains that Beam could resolve. Names that end in .i2p can be dialled as they are.')
  }

  async registerDomain(): Promise<DomainRegistration> {
    throw new UnsupportedError('I2P has no domains that Beam could register.')
  }

  getCapabilities(): BackendCapabilities {
    return capabilitiesOf(this.#shape)
  }

  async getNetworkStats(): Promise<NetworkStats> {
    return this.#traffic.figures
  }

  canDial(address: string): boolean {
    return looksLikeI2p(address)
  }

  /**
   * One's own address is looked at from time to time anyhow, by a session of its own; what that found out is the answer. Others are reached by a
   * stream that is closed at once: SAM has no other way to ask through the session.
   */
  async reach(address: string, options: DialOptions = {}): Promise<Path> {
    options.signal?.throwIfAborted()
    const { host } = parseAddress(address)
    const own = [...this.#tunnels.values()].find(({ service }) => service.host === host)
    const path = { backend: this.name, kind: 'i2p', hops: 2 * this.#shape.length }
    if (own !== undefined) {
      await own.service.reached(AbortSignal.any([this.#ended.signal, ...(options.signal === undefined ? [] : [options.signal])]))
      return path
    }
    const stream = await this.#dialler.dial(address, { ...options, confirm: true }, REACH_PATIENCE_MS)
    stream.on('error', () => {}).destroy()
    return path
  }

  async dial(address: string, options: DialOptions = {}): Promise<Duplex> {
    return this.#dialler.dial(address, options)
  }

  dialReveals(address: string): readonly string[] {
    return dialReveals(parseAddress(address))
  }

  async operate(operation: string, input: Readonly<Record<string, unknown>> = {}): Promise<Readonly<Record<string, unknown>>> {
    if (operation !== 'status') throw new UnsupportedError(`The I2P backend has no operation ${operation}.`)
    if (Object.keys(input).length > 0) throw new ConfigError('The operation status takes nothing.')
    return {
      state: this.#state,
      router: this.#router?.info() ?? 'not there yet',
      tunnels: [...this.#tunnels.values()].map(({ info, service }) => ({
        id: info.id,
        ...(info.name === undefined ? {} : { name: info.name }),
        ...service.status(),
      })),
      diallingSessions: this.#dialler.sessions,
      dialledStreams: this.#dialler.streams,
      ...this.#traffic.figures,
    }
  }

  exportKeys(name: string): Promise<Uint8Array | undefined> {
    return this.#keys.export(name)
  }

  importKeys(name: string, material: Uint8Array, options: { readonly replace?: boolean } = {}): Promise<void> {
    return this.#keys.take(name, material, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== 'stopped') this.#state = 'stopping'
    this.#ended.abort(new BackendUnavailableError('The I2P backend was stopped.'))
    this.#dialler.close()
    await Promise.all([...this.#tunnels.keys()].map((id) => this.stopTunnel(id)))
    const router = this.#router ?? (await this.#opening?.catch(() => undefined))
    this.#router = undefined
    await router?.[Symbol.asyncDispose]()
    this.#state = 'stopped'
  }

  async #sam(signal: AbortSignal): Promise<SamEndpoint> {
    if (this.#router === undefined) throw new BackendUnavailableError('The I2P backend is not running.')
    return this.#router.sam(signal)
  }

  async #start(id: string, port: number, options: TunnelOptions, choices: PublishChoices, given: AbortSignal): Promise<TunnelInfo> {
    await using undo = new CleanupStack()
    const service = await this.#publish(port, options, choices, undo, given)
    given.throwIfAborted()
    const info = { id, backend: this.name, port, ...(options.name === undefined ? {} : { name: options.name }) }
    const running: Running = { info, service, choices, undo: undo.move() }
    this.#tunnels.set(id, running)
    return infoOf(running)
  }

  async #publish(port: number, options: TunnelOptions, choices: PublishChoices, undo: CleanupStack, signal: AbortSignal): Promise<Service> {
    const { clock, logger } = this.#components
    const onEvent = (event: TunnelEvent): void => options.onEvent?.(event)
    const warning = shapeWarning(choices.shape)
    if (warning !== undefined) onEvent({ type: 'warning', code: 'BEAM_WARN_I2P_TUNNELS', message: warning })
    const keys = await this.#keysFor(options.name, choices, signal)
    const local =
      options.onStream === undefined ? new LocalService({ host: options.host ?? 'localhost', port }, { clock, logger }) : undefined
    if (local !== undefined) undo.defer(() => local.close())
    const service = new Service({
      keys,
      choices,
      sam: (given) => this.#sam(given),
      handler: options.onStream ?? (local as LocalService).handle,
      traffic: this.#traffic,
      clock,
      logger,
      onEvent,
      ownClient: ownClientFor(choices),
    })
    if (choices.bookName !== undefined) await this.#book.add(choices.bookName, service.host)
    undo.defer(() => service.close())
    await service.start(signal)
    return service
  }

  async #keysFor(name: string | undefined, { keyFile }: PublishChoices, signal: AbortSignal): Promise<DestinationKeys> {
    const make = async (): Promise<DestinationKeys> => generateKeys(await this.#sam(signal), { clock: this.#components.clock, signal })
    if (keyFile !== undefined) {
      const keys = await readKeyFile(keyFile)
      return name === undefined ? keys : this.#keys.import(name, keys)
    }
    return name === undefined ? make() : this.#keys.readOrMake('service', name, make)
  }
}

function infoOf({ info, service, choices }: Running): TunnelInfo {
  const reveals = publishReveals(choices.encryption !== undefined)
  return { ...info, endpoints: [{ backend: 'i2p', address: service.address, state: service.state, reveals }] }
}
