import type { BeamConfig } from '../../config/index.ts'
import type { NodeStatus } from './answers.ts'

/** A setting of the mesh that is in force, and what it does. */
export interface SettingInForce {
  readonly setting: string
  readonly value: unknown
  readonly meaning: string
}

const PARTICIPATIONS: Readonly<Record<string, string>> = {
  light: 'own tunnels only: nothing is carried for others',
  routing: 'relays for others within limits, answers lookups, serves the DHT',
  full: 'as with routing, within the limits of a server',
}
const STRATEGIES: Readonly<Record<string, string>> = {
  quality: 'relays by latency, bandwidth, reliability, congestion and trust',
  latency: 'the relays with the shortest round trips first',
  bandwidth: 'the relays over which most was moved first',
  geographic: 'near relays first, by network coordinates',
  random: 'relays by chance, which is hard to predict',
}

/** The settings of the mesh that are in force. */
export function settingsOf({ p2p, routing }: Pick<BeamConfig, 'p2p' | 'routing'>): readonly SettingInForce[] {
  const { participation, maxPeers, bootstrap, peers = [] } = p2p
  return [
    { setting: 'p2p.participation', value: participation, meaning: PARTICIPATIONS[participation] ?? '' },
    {
      setting: 'p2p.maxPeers',
      value: maxPeers,
      meaning:
        participation === 'light' ? 'a node that takes part lightly keeps to 6 at most' : `links to at most ${maxPeers} nodes at a time`,
    },
    {
      setting: 'p2p.routing',
      value: p2p.routing,
      meaning:
        p2p.routing === 'disabled'
          ? 'relays are neither used nor offered: services that only a relay reaches cannot be visited'
          : participation === 'light'
            ? 'relays of others are used; this node offers none'
            : 'relays of others are used, and this node is one',
    },
    {
      setting: 'p2p.caching',
      value: p2p.caching,
      meaning:
        p2p.caching === 'enabled'
          ? 'records of services that gossip brings are kept in memory while they are valid'
          : 'no record of others is kept',
    },
    {
      setting: 'p2p.bootstrap',
      value: bootstrap ?? 'public',
      meaning:
        bootstrap === undefined ? 'the public nodes of the DHT' : bootstrap.length === 0 ? 'no DHT' : 'the DHT is joined through these',
    },
    {
      setting: 'p2p.peers',
      value: peers,
      meaning: peers.length === 0 ? 'nodes are found by themselves' : 'nodes that are linked to first',
    },
    { setting: 'routing.strategy', value: routing.strategy, meaning: STRATEGIES[routing.strategy] ?? '' },
  ]
}

/** What a running node does otherwise than the settings say: they hold from its next start, and flags of a command go before them. */
export function differences({ p2p, routing }: Pick<BeamConfig, 'p2p' | 'routing'>, status: NodeStatus): string[] {
  if (!status.running) return []
  const pairs: ReadonlyArray<readonly [string, string | number, string | number | undefined]> = [
    ['p2p.participation', p2p.participation, status.participation],
    ['p2p.maxPeers', p2p.maxPeers, status.maxPeers],
    ['p2p.routing', p2p.routing, status.routing],
    ['p2p.caching', p2p.caching, status.caching],
    ['routing.strategy', routing.strategy, status.strategy],
  ]
  return pairs.flatMap(([name, wanted, running]) =>
    running === undefined || running === wanted ? [] : [`${name} is ${running} there, and ${wanted} in the settings`],
  )
}
