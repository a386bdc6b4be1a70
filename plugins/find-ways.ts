import {
  ConfigError,
  domainOf,
  isDialler,
  newTunnelId,
  resolveWays,
  type BeamPaths,
  type Candidate,
  type Clock,
  type FoundWays,
  type Identity,
  type KeyStore,
  type Logger,
  type Progress,
  type ResolutionContext,
  type Strategy,
  type WayTarget,
} from '../core/index.ts'
import type { Backends } from './backends.ts'
import type { ConnectOptions } from './beam.ts'
import { checkChoices } from './check-choices.ts'
import { networkOf } from './known-addresses.ts'
import { findRegistered } from './rendezvous/find-registered.ts'

/** What finding ways is made of. */
export interface WayFinderParts {
  readonly backends: Backends
  readonly keys: KeyStore
  /** Meeting places behind networks at which names are looked up; empty = names are looked up on the networks that have names. */
  readonly rendezvous: readonly string[]
  readonly paths: BeamPaths
  readonly clock: Clock
  readonly logger: Logger
}

/** What a search is told besides the addresses. */
export type WayOptions = Omit<ConnectOptions, 'onEvent' | 'signal'> & {
  readonly signal: AbortSignal
  readonly onWarning: NonNullable<ResolutionContext['onWarning']>
  /** Told how far a network is that has to be joined for a look-up. */
  readonly onProgress?: (backend: string, progress: Progress) => void
}

/** Finds the ways to the service behind addresses and names, with how each is dialled. */
export class WayFinder {
  readonly #parts: WayFinderParts

  constructor(parts: WayFinderParts) {
    this.#parts = parts
  }

  /** @throws ConfigError and what `resolveWays` and `findRegistered` throw */
  async to(
    addresses: readonly string[],
    options: WayOptions,
  ): Promise<{ readonly ways: readonly [WayTarget, ...WayTarget[]]; readonly strategy: Strategy }> {
    if (addresses.length === 0) throw new ConfigError('There is no address to connect to.', { code: 'BEAM_ERR_USAGE' })
    const { ways, strategy } = await this.#find(addresses, options)
    const credentials = await this.#credentials(options)
    const targets = ways.map(({ handle, address, weight: said }): WayTarget => {
      const weight = options.weights?.[handle.name] ?? said
      const own = options.network?.[handle.name]
      const dial = { ...credentials, ...(own === undefined ? {} : { network: own }), isolation: newTunnelId() }
      return { handle, address, dial, ...(weight === undefined ? {} : { weight }) }
    })
    return { ways: targets as [WayTarget, ...WayTarget[]], strategy }
  }

  /** The addresses that a name stands for. Errors as above. */
  async addresses(name: string, options: WayOptions): Promise<readonly string[]> {
    return (await this.#find([name], options)).ways.map(({ address }) => address)
  }

  async #find(addresses: readonly string[], options: WayOptions): Promise<FoundWays> {
    const { backend, backends, strategy, weights = {}, allowExposure, signal, onWarning } = options
    checkChoices({ strategy, weights })
    const known = await Promise.all(addresses.map((address) => this.#known(address.trim(), options)))
    return resolveWays(known.flat(), {
      candidates: (address) => this.#parts.backends.candidates(address, backend),
      // Who names one network wants no other.
      extra: async () => (backend === undefined ? this.#parts.backends.extra(backends) : []),
      ...(strategy === undefined ? {} : { strategy }),
      ...(allowExposure === undefined ? {} : { allowExposure }),
      signal,
      onWarning,
    })
  }

  /** An address as it is; for a name, where meeting places are named, the addresses that are registered there, and never any other look-up. */
  async #known(address: string, options: WayOptions): Promise<readonly string[]> {
    const { backends, rendezvous, paths, clock, logger } = this.#parts
    const { backend, backends: named, allowExposure = false, signal, onWarning, onProgress } = options
    const domain = domainOf(address)
    if (rendezvous.length === 0 || domain === undefined || networkOf(address) !== undefined) return [address]
    if (await isUnderstood(address, await backends.candidates(address, backend))) return [address]
    return findRegistered(domain, {
      rendezvous,
      candidates: (one) => backends.candidates(one),
      extra: () => backends.extra(backend === undefined ? named : [backend]),
      allowExposure,
      paths,
      clock,
      logger,
      signal,
      onWarning,
      onProgress,
    })
  }

  async #credentials({ identity, secret }: WayOptions): Promise<{ identity?: Identity; secret?: string }> {
    const key = identity === true ? await this.#parts.keys.visitorKey() : identity
    return { ...(key === undefined ? {} : { identity: key }), ...(secret === undefined ? {} : { secret }) }
  }
}

/** Whether it is an address of one of the networks after all. Asks no network. */
async function isUnderstood(address: string, candidates: readonly Candidate[]): Promise<boolean> {
  for (const { load } of candidates) {
    const handle = await load().catch(() => undefined)
    if (handle !== undefined && isDialler(handle.backend) && handle.backend.canDial(address)) return true
  }
  return false
}
