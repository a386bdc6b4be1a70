import type { MeshConfig } from '../config.generated.ts'
import type { SourceStatus } from '../discovery/index.ts'
import type { MeshNetwork } from './mesh-network.ts'

/** What the status of the node tells besides the node itself. */
export interface StatusParts {
  readonly sources: () => readonly SourceStatus[]
  /** Where others start a DHT from this node, as BEAM_P2P_BOOTSTRAP takes it. */
  readonly bootstrap: () => readonly string[]
  /** The settings in force. */
  readonly settings: Pick<MeshConfig, 'caching' | 'maxLinks' | 'relaying' | 'routing'>
}

/** The node as it is now, for `beam network status`. What was not measured is absent. */
export function statusOf(network: MeshNetwork | undefined, { sources, settings, bootstrap }: StatusParts): Record<string, unknown> {
  const discovery = sources().map(({ name, state, peers, detail }) => ({
    name,
    state,
    ...(peers === undefined ? {} : { peers }),
    ...(detail === undefined ? {} : { detail }),
  }))
  if (network === undefined) return { running: false, discovery }
  const peers = network.peers.peers()
  const { position, height, error } = network.peers.coordinate
  return {
    running: true,
    id: network.node.id,
    keyKept: network.keyKept,
    participation: network.participation,
    maxPeers: settings.maxLinks,
    routing: settings.relaying,
    caching: settings.caching,
    strategy: settings.routing,
    startedAt: network.startedAt,
    addresses: network.addresses,
    serves: network.serves,
    ...(bootstrap().length === 0 ? {} : { bootstrap: bootstrap() }),
    ...(network.portMap === undefined ? {} : { portMap: network.portMap }),
    peers: peers.length,
    inbound: peers.filter(({ direction }) => direction === 'in').length,
    known: network.candidates.size,
    heard: network.heard().length,
    records: network.records.size,
    registered: network.registered.size,
    ...(network.partition === undefined ? {} : { partition: { state: 'suspected', ...network.partition } }),
    ...(network.gossip.clock === undefined ? {} : { clock: network.gossip.clock }),
    relays: network.relayClient.endpoints,
    discovery,
    ...(network.relayed === undefined ? {} : { relayed: network.relayed }),
    // A place that is a guess is none.
    ...(error < 1 ? { coordinate: { position, height, error } } : {}),
  }
}

/** The linked peers, with what was measured of them; their addresses only for whoever asks for them. */
export function peersOf(network: MeshNetwork, { addresses }: { readonly addresses: boolean }): ReadonlyArray<Record<string, unknown>> {
  return network.peers.peers().map(({ id, direction, latencyMs, trust, ageMs, busy, prefix, source, info, coordinate }) => {
    const host = addresses ? hostOf(network.node.peer(id)?.remoteAddress) : undefined
    return {
      id,
      direction,
      trust,
      ageMs,
      busy,
      ...(latencyMs === undefined ? {} : { latencyMs }),
      ...(host === undefined ? {} : { host }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(source === undefined ? {} : { source }),
      ...(info === undefined ? {} : { participation: info.participation, links: info.links }),
      ...(coordinate === undefined
        ? {}
        : { coordinate: { position: coordinate.position, height: coordinate.height, error: coordinate.error } }),
    }
  })
}

/** The address in `192.0.2.1:4001` or `[2001:db8::1]:4001`. */
function hostOf(place: string | undefined): string | undefined {
  const match = /^(?:\[(.+)\]|([^:]+)):\d+$/.exec(place ?? '')
  return (match?.[1] ?? match?.[2])?.replace(/^::ffff:/i, '')
}
