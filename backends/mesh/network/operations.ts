import { ConfigError, UnsupportedError, type Operation } from '../../../core/index.ts'
import type { MeshNetwork } from './mesh-network.ts'
import type { NetworkSlot } from './network-slot.ts'

/** What the mesh can be asked or told while it runs: `beam network …`. */
export const MESH_OPERATIONS: readonly Operation[] = [
  { name: 'status', description: 'The node: who it is, whom it is linked to, what it does for others.', changes: false },
  { name: 'peers', description: 'The linked peers, with what was measured of them.', changes: false },
  { name: 'heard', description: 'The nodes that gossip told of lately.', changes: false },
  { name: 'start', description: 'Brings the node up where nothing needed it yet.', changes: true },
  { name: 'restart', description: 'Ends the node and brings it up again.', changes: true },
  { name: 'reset', description: 'The same, and forgets the peers of former times.', changes: true },
  { name: 'optimize', description: 'Looks for better peers now.', changes: true },
]

/** Carries out an operation. Figures that were not measured are absent. @throws UnsupportedError, ConfigError */
export async function operateMesh(
  slot: NetworkSlot,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  if (Object.keys(input).length > 0) throw new ConfigError('The operations of the mesh take no input.')
  switch (operation) {
    case 'status':
      return statusOf(slot.network)
    case 'peers':
      return { peers: slot.network === undefined ? [] : peersOf(slot.network) }
    case 'heard':
      return { nodes: (slot.network?.heard() ?? []).map(({ id, participation, links, sentAt }) => ({ id, participation, links, sentAt })) }
    case 'start':
      return statusOf(await slot.start())
    case 'restart':
      return statusOf(await slot.restart())
    case 'reset':
      return statusOf(await slot.restart({ forget: true }))
    case 'optimize':
      slot.network?.peers.improve()
      return statusOf(slot.network)
    default:
      throw new UnsupportedError(`The mesh has no operation ${operation}.`)
  }
}

function statusOf(network: MeshNetwork | undefined): Record<string, unknown> {
  if (network === undefined) return { running: false }
  const peers = network.peers.peers()
  const { position, height, error } = network.peers.coordinate
  return {
    running: true,
    id: network.node.id,
    keyKept: network.keyKept,
    participation: network.participation,
    startedAt: network.startedAt,
    addresses: network.addresses,
    peers: peers.length,
    inbound: peers.filter(({ direction }) => direction === 'in').length,
    known: network.candidates.size,
    heard: network.heard().length,
    records: network.records.size,
    relays: network.relayClient.endpoints,
    ...(network.relayed === undefined ? {} : { relayed: network.relayed }),
    // A place that is a guess is none.
    ...(error < 1 ? { coordinate: { position, height, error } } : {}),
  }
}

function peersOf(network: MeshNetwork): ReadonlyArray<Record<string, unknown>> {
  return network.peers.peers().map(({ id, direction, latencyMs, trust, ageMs, busy, prefix, source, info, coordinate }) => ({
    id,
    direction,
    trust,
    ageMs,
    busy,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(source === undefined ? {} : { source }),
    ...(info === undefined ? {} : { participation: info.participation, links: info.links }),
    ...(coordinate === undefined
      ? {}
      : { coordinate: { position: coordinate.position, height: coordinate.height, error: coordinate.error } }),
  }))
}
