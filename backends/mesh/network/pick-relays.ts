import { UnreachableError, type RelayHop } from '../../../core/index.ts'
import type { MeshNetwork } from './mesh-network.ts'

/**
 * Relays for a way of several hops: peers of this node and nodes that gossip told of, which relay and can be dialled, at random, weighed by
 * trust. The publisher's own relay, which stands last, is none of them.
 * @throws UnreachableError when there are not as many
 */
export function pickRelays(network: MeshNetwork | undefined, count: number, except: Uint8Array): readonly RelayHop[] {
  if (count <= 0) return []
  const known = network?.heard() ?? []
  const usable = known.filter(
    ({ key, participation, contacts }) => participation !== 'light' && contacts.length > 0 && Buffer.compare(key, except) !== 0,
  )
  if (network === undefined || usable.length < count) {
    throw new UnreachableError(`A way through ${count + 1} relays needs ${count} more than are known (${usable.length}).`, {
      code: 'BEAM_ERR_NOT_FOUND',
      retry: 'later',
      hint: 'Let this node take part in the mesh for a while (p2p.participation, p2p.peers), or use fewer hops.',
    })
  }
  return usable
    .map((node) => ({ node, draw: Math.random() ** (1 / Math.max(0.05, network.candidates.trustIn(node.id))) }))
    .sort((a, b) => b.draw - a.draw)
    .slice(0, count)
    .flatMap(({ node: { key, contacts } }) => (contacts[0] === undefined ? [] : [{ key, contact: contacts[0] }]))
}
