import type { AccessPolicy } from '../../core/backend.ts'
import { ConfigError } from '../../core/errors.ts'
import type { PublishOptions, Strategy } from '../../plugins/beam.ts'

/** Networks that have a flag of their own (`--tor`). Which of them this version contains is for the SDK to say. */
export const NETWORK_FLAGS = ['mesh', 'tor', 'ator', 'i2p', 'nym', 'veilid', 'freenet', 'zeronet', 'zkn', 'anonet'] as const

/** Ways to use several networks. */
export const STRATEGIES = ['priority', 'fallback', 'load-balance', 'multipath'] as const satisfies readonly Strategy[]

/** The flags of `beam expose` that say what is published how. */
export interface PublishFlags {
  readonly name?: readonly string[] | undefined
  readonly domain?: readonly string[] | undefined
  readonly allow?: readonly string[] | undefined
  readonly backends?: readonly string[] | undefined
  readonly networks: readonly string[]
  readonly fallback?: boolean
  readonly strategy?: string | undefined
  readonly budget?: PublishOptions['budget']
  readonly allowExposure?: boolean
  readonly requireService?: boolean
  /** `--host-header`. */
  readonly hostHeader?: string | undefined
  /** Whether Beam is to read HTTP without changing the Host header. */
  readonly readsHttp?: boolean
  /** Options of single networks, from their own flags. */
  readonly network?: PublishOptions['network']
  /** Networks that this machine takes part in beside the tunnel. */
  readonly join?: readonly string[]
}

/**
 * What the SDK is asked for each target.
 *
 * @param targets - how many services are published
 * @throws ConfigError (`BEAM_ERR_USAGE`) when the flags contradict each other
 */
export function publishOptions(flags: PublishFlags, secret: string | undefined, targets: number): PublishOptions[] {
  const names = perTarget('name', flags.name, targets)
  const domains = perTarget('domain', flags.domain, targets)
  const backends = namedBackends(flags)
  const allow = flags.allow ?? []
  const access = { ...(allow.length > 0 ? { allow } : {}), ...(secret === undefined ? {} : { secret }) }
  const common: PublishOptions = {
    ...(backends.length > 0 ? { backends } : {}),
    ...strategyOf(flags),
    ...(flags.budget === undefined || Object.keys(flags.budget).length === 0 ? {} : { budget: flags.budget }),
    ...(Object.keys(access).length > 0 ? { access } : {}),
    ...(flags.allowExposure === true ? { allowExposure: true } : {}),
    ...(flags.requireService === true ? { requireService: true } : {}),
    ...(flags.hostHeader === undefined ? {} : { http: { hostHeader: flags.hostHeader } }),
    ...(flags.hostHeader === undefined && flags.readsHttp === true ? { http: {} } : {}),
    ...(flags.network === undefined ? {} : { network: flags.network }),
    ...(flags.join === undefined || flags.join.length === 0 ? {} : { join: flags.join }),
  }
  return Array.from({ length: targets }, (_, index) => {
    const [name, domain] = [names[index], domains[index]]
    return { ...common, ...(name === undefined ? {} : { name }), ...(domain === undefined ? {} : { domain }) }
  })
}

/**
 * The backends that flags name, by preference.
 * @throws ConfigError (`BEAM_ERR_USAGE`)
 */
export function namedBackends({ backends = [], networks }: Pick<PublishFlags, 'backends' | 'networks'>): string[] {
  const names = [...new Set([...backends, ...networks].map((name) => name.trim()))]
  if (names.includes('')) throw usage('--backends contains an empty name.')
  return names
}

/** What a visitor's command needs besides the address. */
export function connectFlags({ allow = [], secret }: AccessPolicy): readonly string[] {
  return [...(allow.length === 0 ? [] : ['--identify']), ...(secret === undefined ? [] : ['--secret -'])]
}

/**
 * The strategy that flags ask for.
 * @throws ConfigError (`BEAM_ERR_USAGE`)
 */
export function strategyOf({ strategy, fallback }: Pick<PublishFlags, 'strategy' | 'fallback'>): Pick<PublishOptions, 'strategy'> {
  if (fallback === true && strategy !== undefined && strategy !== 'fallback')
    throw usage(`--fallback and --strategy ${strategy} contradict each other.`)
  const wanted = fallback === true ? 'fallback' : STRATEGIES.find((known) => known === strategy)
  return wanted === undefined ? {} : { strategy: wanted }
}

/** One value for each target, in their order; none at all is fine. */
function perTarget(flag: string, values: readonly string[] | undefined, targets: number): readonly string[] {
  if (values === undefined || values.length === 0) return []
  if (values.length === targets) return values
  throw usage(
    `--${flag} was given ${times(values.length)} for ${targets === 1 ? 'one service' : `${targets} services`}: give it once for each.`,
  )
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)

function usage(message: string): ConfigError {
  return new ConfigError(message, { code: 'BEAM_ERR_USAGE' })
}
