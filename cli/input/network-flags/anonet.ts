import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../../core/errors.ts'
import type { NetworkFlags } from './group.ts'

/** Flags of the mesh of friends. */
export const anonetFlags: NetworkFlags = {
  backends: ['anonet'],
  selects: { 'friend-to-friend': 'anonet' },
  publish: {
    'friend-to-friend': boolean({
      description: 'Publish in your mesh of friends: --backend anonet (WireGuard links between friends, BGP between them).',
      helpGroup: 'NETWORK',
    }),
    'anonet-port': string({
      description: 'Port of the service in the mesh. Default: the local port, or a free one when it is taken.',
      helpGroup: 'ANONET',
      helpValue: 'PORT',
    }),
    'anonet-sources': string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'Let in only visitors with this address or prefix of the mesh, for example 21.2.0.0/24; can be repeated.',
      helpGroup: 'ANONET',
      helpValue: 'PREFIX',
    }),
  },
  publishOptions(flags) {
    const { 'anonet-port': port, 'anonet-sources': sources } = flags
    if (port !== undefined && !/^[1-9]\d{0,4}$/.test(port as string)) {
      throw new ConfigError('--anonet-port is no port.', { code: 'BEAM_ERR_USAGE' })
    }
    return { ...(port !== undefined && { port: Number(port) }), ...(sources !== undefined && { sources }) }
  },
  settings: {
    'anonet-mode': string({
      description: 'attach: use the mesh of this machine. managed: Beam keeps one of its own. auto (the default): the first there is.',
      helpGroup: 'ANONET',
      options: ['auto', 'attach', 'managed'],
    }),
  },
  environment: ({ 'anonet-mode': mode }): Record<string, string> => (typeof mode === 'string' ? { BEAM_ANONET_MODE: mode } : {}),
}
