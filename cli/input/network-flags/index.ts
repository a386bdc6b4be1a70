import { ConfigError } from '../../../core/errors.ts'
import { anonetFlags } from './anonet.ts'
import { typed, type FlagDefinitions, type FlagValues, type NetworkFlags, type NetworkOptions } from './group.ts'
import { i2pFlags } from './i2p.ts'
import { meshFlags } from './mesh.ts'
import { onionFlags } from './onion.ts'

/** Every network with flags of its own. */
export const NETWORK_FLAG_GROUPS: readonly NetworkFlags[] = [meshFlags, onionFlags, i2pFlags, anonetFlags]

/** What the flags of networks ask for. */
export interface NetworkWishes {
  /** Options by the name of the backend; absent when there are none. */
  readonly network?: Readonly<Record<string, NetworkOptions>>
  /** Variables that override settings of backends. */
  readonly environment: Readonly<Record<string, string>>
  /** Networks that the machine is to take part in without the tunnel being on them; absent when there are none. */
  readonly join?: readonly string[]
}

/** Which command asks: one that publishes, or one that visits. */
export type End = 'publish' | 'dial'

/** The flags of all networks for one end. */
export function flagsOf(end: End, groups: readonly NetworkFlags[] = NETWORK_FLAG_GROUPS): FlagDefinitions {
  return Object.assign({}, ...groups.flatMap((group) => [group[end] ?? {}, group.settings ?? {}])) as FlagDefinitions
}

/** The backends that were chosen by flags of networks. */
export function selectedBy(flags: FlagValues, groups: readonly NetworkFlags[] = NETWORK_FLAG_GROUPS): string[] {
  return groups.flatMap(({ selects = {} }) => Object.entries(selects).flatMap(([flag, backend]) => (flags[flag] === true ? [backend] : [])))
}

/** Whether a flag of a network asks that Beam reads HTTP. */
export function readsHttp(flags: FlagValues, groups: readonly NetworkFlags[] = NETWORK_FLAG_GROUPS): boolean {
  return groups.some(({ readsHttp: names = [] }) => names.some((name) => flags[name] === true))
}

/**
 * What the typed flags of networks ask for.
 *
 * @param used - names of the backends that are used; asked only when a flag of a network was typed. Undefined: not known beforehand.
 * @throws ConfigError (`BEAM_ERR_USAGE`) for a flag of a network that is not used
 */
export async function networkWishes(
  end: End,
  flags: FlagValues,
  used: () => Promise<readonly string[] | undefined>,
  groups: readonly NetworkFlags[] = NETWORK_FLAG_GROUPS,
): Promise<NetworkWishes> {
  const asked = groups.filter((group) => typed(group[end], flags).length > 0 || typed(group.settings, flags).length > 0)
  if (asked.length === 0) return { environment: {} }
  const names = await used()
  const network: Record<string, NetworkOptions> = {}
  const environment: Record<string, string> = {}
  const join: string[] = []
  for (const group of asked) {
    const backends = names === undefined ? group.backends : group.backends.filter((name) => names.includes(name))
    const own = typed(group[end], flags).filter((name) => group.selects?.[name] === undefined)
    const [first] = [...own, ...typed(group.settings, flags)]
    if (first === undefined) continue
    if (backends.length === 0 && group.joins === true && own.length === 0 && end === 'publish') {
      join.push(...group.backends)
      for (const backend of group.backends) Object.assign(environment, group.environment?.(flags, backend))
      continue
    }
    if (backends.length === 0) throw notUsed(first, group.backends, end)
    const options = own.length === 0 ? undefined : await (end === 'publish' ? group.publishOptions?.(flags) : group.dialOptions?.(flags))
    for (const backend of backends) {
      if (options !== undefined) network[backend] = { ...network[backend], ...options }
      Object.assign(environment, group.environment?.(flags, backend))
    }
  }
  return { ...(Object.keys(network).length > 0 ? { network } : {}), environment, ...(join.length === 0 ? {} : { join }) }
}

function notUsed(flag: string, backends: readonly string[], end: End): ConfigError {
  const [first = ''] = backends
  const whose = backends.join(' and ')
  return new ConfigError(`--${flag} is for ${whose}, which ${backends.length === 1 ? 'is' : 'are'} not used here.`, {
    code: 'BEAM_ERR_USAGE',
    hint: `Leave it out, or ${end === 'publish' ? `add --backend ${first}` : `give an address of ${backends.join(' or ')}`}.`,
  })
}
