import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../../core/errors.ts'
import type { FlagValues, NetworkFlags } from './group.ts'

/** How much a node does for others, as flags say it. */
const MODES = ['light', 'routing', 'full'] as const

/** Flags about this machine's node on the mesh. */
export const NODE_FLAGS = {
  'p2p-mode': string({
    options: MODES,
    description:
      'What this node does for others: nothing (light, the default), relay within limits (routing), or also more and longer (full).',
    helpGroup: 'MESH',
  }),
  'p2p-routing': boolean({ description: 'Short for --p2p-mode routing.', helpGroup: 'MESH' }),
  'p2p-full': boolean({ description: 'Short for --p2p-mode full.', helpGroup: 'MESH' }),
  'p2p-peers': string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    description: 'Nodes of the mesh that are known beforehand, as beam node prints them.',
    helpGroup: 'MESH',
    helpValue: 'NODE,…',
  }),
  'p2p-discovery': string({
    options: ['on', 'off', 'loopback'],
    description: 'Finding and being found on the local network (mDNS). Without a value: on.',
    helpGroup: 'MESH',
  }),
}

/** Flags of the mesh. */
export const meshFlags: NetworkFlags = {
  backends: ['mesh'],
  publish: {
    lan: boolean({ description: 'Announce the domain on the local network, for browsers there.', helpGroup: 'SERVICE' }),
  },
  publishOptions: ({ lan }) => (lan === true ? { lan: true } : {}),
  dial: {
    hops: string({
      description:
        'Go through so many relays, 1 to 3: with two or more, none of them knows both ends, and the publisher sees no IP address of yours.',
      helpGroup: 'MESH',
      helpValue: 'N',
    }),
  },
  dialOptions: ({ hops }) => (typeof hops === 'string' ? { hops: hopsOf(hops) } : {}),
  settings: NODE_FLAGS,
  joins: true,
  environment: nodeEnvironment,
}

/** What the flags about the node make of settings. @throws ConfigError (`BEAM_ERR_USAGE`) when they contradict each other */
export function nodeEnvironment(flags: FlagValues): Readonly<Record<string, string>> {
  const modes = [flags['p2p-mode'], flags['p2p-routing'] === true ? 'routing' : undefined, flags['p2p-full'] === true ? 'full' : undefined]
  const said = [...new Set(modes.filter((mode): mode is string => typeof mode === 'string'))]
  if (said.length > 1) throw new ConfigError(`The node cannot be ${said.join(' and ')} at once.`, { code: 'BEAM_ERR_USAGE' })
  const peers = flags['p2p-peers']
  const mdns = flags['p2p-discovery']
  return {
    ...(said[0] === undefined ? {} : { BEAM_P2P_PARTICIPATION: said[0] }),
    ...(Array.isArray(peers) ? { BEAM_P2P_PEERS: peers.join(',') } : {}),
    ...(typeof mdns === 'string' ? { BEAM_P2P_MDNS: mdns } : {}),
  }
}

function hopsOf(text: string): number {
  if (/^[1-3]$/.test(text)) return Number(text)
  throw new ConfigError('--hops is a whole number from 1 to 3.', { code: 'BEAM_ERR_USAGE' })
}
