import {
  isBeamError,
  mayRegister,
  newTunnelId,
  normaliseName,
  rendezvousRecordKey,
  ServiceRegistration,
  type BackendHandle,
  type Clock,
  type Identity,
  type Logger,
  type PublishEvent,
  type Tunnel,
} from '../../core/index.ts'
import { hiddenPlaces, hiddenVisits, type CandidatesFor, type HiddenPlace } from './hidden-places.ts'

/** What a registration of a tunnel needs to know. */
export interface TunnelRegistrationSetup {
  /** Addresses of the meeting places. */
  readonly rendezvous: readonly string[]
  readonly candidates: CandidatesFor
  /** Id of the tunnel. */
  readonly id: string
  readonly domain: string | undefined
  readonly chain: readonly BackendHandle[]
  /** A backend that was made: a tunnel may move to one that is not in its chain. */
  readonly existing: (backend: string) => Pick<BackendHandle, 'capabilities'> | undefined
  /** The service key: of it a key is derived that stands for the tunnel at meeting places. */
  readonly identity: Identity
  readonly allowExposure: boolean
  readonly onEvent: ((event: PublishEvent) => void) | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Keeps a tunnel registered at meeting places behind networks, under its domain. It only hears the tunnel's events, and tells of the
 * addresses that may be told there; no other part of Beam is used for it.
 */
export class TunnelRegistration {
  /** Hears what happens to the tunnel, and passes it on. */
  readonly onEvent: (event: PublishEvent) => void
  readonly #setup: TunnelRegistrationSetup
  readonly #registration: ServiceRegistration<HiddenPlace>
  #tunnel: Tunnel | undefined

  /** Undefined when there is nothing to register, or nowhere. Starts nothing. @throws as `hiddenPlaces`; ConfigError (`BEAM_ERR_NAME_INVALID`) */
  static async prepare(setup: TunnelRegistrationSetup): Promise<TunnelRegistration | undefined> {
    const { rendezvous, domain, chain, allowExposure, candidates } = setup
    if (rendezvous.length === 0 || domain === undefined) return undefined
    if (!chain.some(({ capabilities }) => mayRegister(capabilities, { allowExposure }))) {
      const message = `${domain} is not registered at meeting places: ${chain.map(({ name }) => name).join(', ')} shows the IP address of this machine (--allow-exposure permits it).`
      setup.onEvent?.({ event: 'warning', tunnel: setup.id, code: 'BEAM_WARN_RENDEZVOUS', message })
      return undefined
    }
    return new TunnelRegistration(setup, normaliseName(domain), await hiddenPlaces(rendezvous, candidates))
  }

  private constructor(setup: TunnelRegistrationSetup, name: string, places: readonly HiddenPlace[]) {
    const { id, identity, clock, logger, onEvent } = setup
    const backend = places[0]?.handle.name ?? ''
    this.#setup = setup
    this.#registration = new ServiceRegistration({
      identity: rendezvousRecordKey(identity, name),
      name,
      places,
      visit: hiddenVisits({ isolation: newTunnelId(), logger }),
      clock,
      onState: (state, reason, cause) => {
        if (state === 'announced') {
          const message = `${name} is registered: ${reason}.`
          return onEvent?.({ event: 'progress', tunnel: id, backend, phase: 'registered', message })
        }
        const hint = isBeamError(cause) && cause.hint !== undefined ? ` ${cause.hint}` : ''
        const message = `${name} is not registered: ${reason}${hint} It is tried again.`
        onEvent?.({ event: 'warning', tunnel: id, backend, code: 'BEAM_WARN_RENDEZVOUS', message })
      },
    })
    this.onEvent = (event) => {
      // The domain leads to the tunnel by way of the meeting places.
      if (event.event === 'warning' && event.code === 'BEAM_WARN_DOMAIN') return
      onEvent?.(event)
      if (event.event === 'up' || event.event === 'down' || event.event === 'failover') this.#update()
    }
  }

  /** The tunnel is up: registers it, in the background. */
  begin(tunnel: Tunnel): void {
    this.#tunnel = tunnel
    this.#update()
  }

  /** Takes the registration back. Never rejects. */
  stop(): Promise<void> {
    this.#tunnel = undefined
    return this.#registration.stop()
  }

  #update(): void {
    const { existing, allowExposure } = this.#setup
    const endpoints = this.#tunnel?.snapshot().endpoints ?? []
    const told = endpoints.filter(({ backend, state }) => {
      const handle = existing(backend)
      return state === 'active' && handle !== undefined && mayRegister(handle.capabilities, { allowExposure })
    })
    this.#registration.update(told.map(({ address }) => address))
  }
}
