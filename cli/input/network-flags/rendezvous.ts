import { string } from '@oclif/core/flags'
import { ConfigError } from '../../../core/errors.ts'
import type { FlagValues } from './group.ts'

/** Meeting places behind networks that hide: where names are registered and looked up without the mesh. */
export const RENDEZVOUS_FLAG = {
  rendezvous: string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    description:
      'Meeting places behind Tor or I2P, as beam node --rendezvous --tor prints them: domains are registered and names looked up there, and nowhere else. “none” = none. Default: p2p.rendezvous.',
    helpGroup: 'NETWORK',
    helpValue: 'NODE,…',
  }),
}

/** What the flag makes of settings: the variable of `p2p.rendezvous`. */
export function rendezvousEnvironment({ rendezvous }: FlagValues): Readonly<Record<string, string>> {
  return Array.isArray(rendezvous) ? { BEAM_P2P_RENDEZVOUS: rendezvous.join(',') } : {}
}

/** @throws ConfigError (`BEAM_ERR_USAGE`) when meeting places are named and nothing that could be registered there */
export function assertDomain({ rendezvous, domain }: FlagValues): void {
  if (!Array.isArray(rendezvous) || rendezvous.includes('none') || Array.isArray(domain)) return
  throw new ConfigError('--rendezvous needs a name under which the service is registered.', {
    code: 'BEAM_ERR_USAGE',
    hint: 'Add --domain myapp.local. Visitors with the same --rendezvous reach it by that name.',
  })
}

/** Whether names are looked up at meeting places behind networks: by the flag, else by the configuration that counts. @throws InvalidConfigError */
export async function hasMeetingPlaces({ BEAM_P2P_RENDEZVOUS: typed }: Readonly<Record<string, string>>): Promise<boolean> {
  if (typed !== undefined) return typed !== 'none'
  const [{ loadConfig }, { configOptions }] = await Promise.all([import('../../../config/index.ts'), import('../config-options.ts')])
  const { config } = await loadConfig(await configOptions({ verbose: false }))
  return (config.p2p.rendezvous ?? []).length > 0
}
