import {
  sleep,
  TimeoutError,
  UnreachableError,
  type Clock,
  type EndpointState,
  type Logger,
  type StreamHandler,
  type TunnelEvent,
} from '../../core/index.ts'
import { addressHelper, formatAddress } from './address.ts'
import { toI2pBase64 } from './base64.ts'
import { CHECK_AGAIN_MS, CHECK_EVERY_MS, CHECK_LIMIT_MS, LAST_WORDS_MS, TELL_UNREACHED_MS } from './constants.ts'
import { b33Of } from './destination.ts'
import type { DestinationKeys } from './keys.ts'
import type { PublishChoices } from './options.ts'
import { PublishingProgress } from './publishing-progress.ts'
import { Relay } from './relay.ts'
import type { SamEndpoint } from './sam/connection.ts'
import { checkReachable } from './self-check.ts'
import { SessionKeeper } from './session-keeper.ts'
import { publishingOptions, type Client, type Encryption } from './session-options.ts'
import { noB33 } from './sentences.ts'
import type { Traffic } from './traffic.ts'
import { watchWake } from './wake.ts'

/** What a published service is made of. */
export interface ServiceSetup {
  readonly keys: DestinationKeys
  readonly choices: PublishChoices
  readonly sam: (signal: AbortSignal) => Promise<SamEndpoint>
  readonly handler: StreamHandler
  readonly traffic: Traffic
  readonly clock: Clock
  readonly logger: Logger
  readonly onEvent: (event: TunnelEvent) => void
  /** The key by which the check of oneself reads the lease set, where that is for known visitors only. */
  readonly ownClient: { readonly publisher: Client; readonly visitor: Buffer } | undefined
}

/** One service on I2P: a destination in the router, streams that come to our relay, and the look from outside whether they do. */
export class Service {
  readonly host: string
  readonly address: string
  readonly #setup: ServiceSetup
  readonly #relay: Relay
  readonly #progress: PublishingProgress
  readonly #ended = new AbortController()
  #keeper: SessionKeeper | undefined
  #state: EndpointState = 'announcing'
  #why = 'The service was not reached yet.'
  #reachedAt: number | undefined
  readonly #waiting = new Set<() => void>()
  #cancelCheck: () => void = () => {}
  #checking: AbortController | undefined
  #stopWatching: () => void = () => {}

  constructor(setup: ServiceSetup) {
    const { keys, choices, clock, onEvent } = setup
    this.#setup = setup
    this.host = hostOf(keys, choices.encryption)
    this.address = formatAddress(this.host)
    this.#relay = new Relay({ ...setup, access: choices.access })
    this.#progress = new PublishingProgress(choices.shape, clock, (progress) => onEvent({ type: 'progress', ...progress }))
  }

  get state(): EndpointState {
    return this.#state
  }

  /** What can be said of it, for people and programs. */
  status(): Readonly<Record<string, unknown>> {
    const { choices, keys, clock } = this.#setup
    const session = this.#keeper?.session
    return {
      address: this.address,
      state: this.#state,
      encrypted: choices.encryption !== undefined,
      clients: choices.encryption?.clients.map(({ name }) => name) ?? [],
      tunnels: choices.shape,
      session: session === undefined || !session.alive ? 'lost' : session.isReady ? 'ready' : 'building tunnels',
      ...(this.#reachedAt === undefined ? {} : { reachedSecondsAgo: Math.round((clock.monotonic() - this.#reachedAt) / 1_000) }),
      visitors: this.#relay.visitors,
      refusedVisitors: this.#relay.refused,
      destination: toI2pBase64(keys.destination),
      ...(choices.bookName === undefined ? {} : { addressHelper: addressHelper(choices.bookName, this.#helpful()) }),
    }
  }

  /**
   * Publishes. Tells the address at once; resolves when this machine reached itself through the network. On the real one that takes minutes,
   * and a lease set may stay unpublished for ten: who waits is told why.
   */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, keys, choices, logger, sam, onEvent, ownClient } = this.#setup
    onEvent({ type: 'address', address: this.address })
    const { encryption, shape } = choices
    const port = await this.#relay.listen()
    const clients = ownClient === undefined ? (encryption?.clients ?? []) : [...(encryption?.clients ?? []), ownClient.publisher]
    this.#keeper = new SessionKeeper({
      sam,
      key: keys.secret,
      options: publishingOptions(shape, encryption === undefined ? undefined : { ...encryption, clients }),
      port,
      clock,
      logger,
      onUp: (session) => {
        this.#progress.asked()
        session.ready.then(
          () => this.#progress.ready(),
          () => {},
        )
        if (this.#state === 'down') void this.#check()
      },
      onDown: (reason) => this.#become('down', reason),
      onWait: (message) => onEvent({ type: 'progress', phase: 'waiting', message }),
    })
    await this.#keeper.start(signal)
    const given = AbortSignal.any([signal, this.#ended.signal])
    while (!(await this.#untilReached(given, TELL_UNREACHED_MS))) {
      given.throwIfAborted()
      onEvent({ type: 'warning', code: 'BEAM_WARN_I2P_UNREACHED', message: this.#progress.unreached() })
    }
    this.#become('active', 'reached through the network')
    this.#cancelCheck = clock.after(CHECK_EVERY_MS, () => void this.#check(), { unref: true })
    this.#stopWatching = watchWake(clock, () => void this.#check('The machine woke up.'))
  }

  /**
   * Resolves when the service is known to be reachable: at once where the last look said so, else with the next one that does.
   * @throws UnreachableError when the last look failed, or the signal's reason
   */
  async reached(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#state === 'active') return
    if (this.#state === 'down') throw new UnreachableError(this.#why)
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(done)
        if (this.#state === 'active') resolve()
        else reject(new UnreachableError(this.#why))
      }
      const onAbort = (): void => {
        this.#waiting.delete(done)
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(done)
    })
  }

  async close(): Promise<void> {
    this.#ended.abort(new Error('the tunnel was stopped'))
    this.#cancelCheck()
    this.#stopWatching()
    this.#progress.stop()
    const visitors = this.#relay.visitors
    await this.#relay.close()
    // A router that loses the session first never tells the visitors that their streams have ended.
    if (visitors > 0) await sleep(LAST_WORDS_MS, { clock: this.#setup.clock })
    this.#keeper?.close()
  }

  /** Looks at the service from outside, now and every so often. */
  async #check(why?: string): Promise<void> {
    const { clock } = this.#setup
    if (this.#ended.signal.aborted || this.#checking !== undefined) return
    this.#cancelCheck()
    if (why !== undefined) this.#become('announcing', why)
    const checking = (this.#checking = new AbortController())
    const reached = await this.#untilReached(AbortSignal.any([this.#ended.signal, checking.signal]), CHECK_LIMIT_MS)
    this.#checking = undefined
    if (this.#ended.signal.aborted) return
    const alive = this.#keeper?.session?.alive === true
    if (reached) this.#become('active', 'reached through the network')
    else if (alive) {
      this.#become(
        'down',
        'The service cannot be reached through I2P: its lease set may be lost. The router publishes it again with its next tunnels.',
      )
      // A sleep can leave a router with a session that it never mends.
      if (why !== undefined) this.#keeper?.renew('The session did not come back after the machine slept.')
    }
    this.#cancelCheck = clock.after(reached ? CHECK_EVERY_MS : CHECK_AGAIN_MS, () => void this.#check(), { unref: true })
  }

  /** Whether the service was reached in time. Never rejects. */
  async #untilReached(signal: AbortSignal, limitMs: number): Promise<boolean> {
    const { clock, sam, choices, logger, ownClient } = this.#setup
    const limit = new AbortController()
    const cancel = clock.after(limitMs, () => limit.abort(new TimeoutError('nobody got through')), { unref: true })
    const within = AbortSignal.any([signal, limit.signal])
    try {
      for (;;) {
        try {
          await checkReachable({
            at: await sam(within),
            relay: this.#relay,
            host: this.host,
            clientKey: ownClient?.visitor,
            shape: choices.shape,
            clock,
            signal: within,
            onStage: (stage) => this.#progress.stage(stage),
          })
          this.#reachedAt = clock.monotonic()
          return true
        } catch (error) {
          if (within.aborted) return false
          logger.debug('look from outside failed', { reason: (error as Error).message })
          await rest(clock, within)
        }
      }
    } finally {
      cancel()
      this.#progress.stop()
    }
  }

  #become(state: EndpointState, reason: string): void {
    if (this.#state === state) return
    this.#state = state
    this.#why = reason
    if (state !== 'announcing') for (const done of [...this.#waiting]) done()
    this.#setup.onEvent({ type: 'state', address: this.address, state, reason })
  }

  #helpful(): string {
    const { choices, keys } = this.#setup
    return choices.encryption === undefined ? toI2pBase64(keys.destination) : this.host
  }
}

/** Between looks that could not even begin, since the router is away. */
function rest(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(2_000, done, { unref: true })
    signal.addEventListener('abort', done, { once: true })
  })
}

function hostOf({ destination, b32 }: DestinationKeys, encryption: Encryption | undefined): string {
  if (encryption === undefined) return b32
  const b33 = b33Of(destination, { clients: encryption.auth !== 'none' })
  if (b33 === undefined) throw noB33()
  return b33
}
