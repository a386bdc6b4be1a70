import { distanceMs, fromNumbers, UnreachableError, type RelayHop, type RoutingStrategy, type RouteTable } from '../../../core/index.ts'
import type { MeshNetwork } from './mesh-network.ts'

/** What relays are picked by. */
export interface PickOptions {
  readonly network: MeshNetwork | undefined
  readonly routes: RouteTable
  readonly strategy: RoutingStrategy
}

/** Among so many of the best one is drawn: who always takes the very best can be lured to a node that makes itself look so. */
const DRAWN_FROM = 3

/** The table's name for the way to a relay, whatever lies behind it. */
export const TO_RELAY = 'relay'

/**
 * Relays for a way of several hops: nodes that gossip told of, which relay and can be dialled, by the routing strategy. The publisher's own
 * relay, which stands last, is none of them.
 * @throws UnreachableError when there are not as many
 */
export function pickRelays({ network, routes, strategy }: PickOptions, count: number, except: Uint8Array): readonly RelayHop[] {
  if (count <= 0) return []
  const usable = (network?.heard() ?? []).filter(
    ({ key, participation, contacts }) => participation !== 'light' && contacts.length > 0 && Buffer.compare(key, except) !== 0,
  )
  if (network === undefined || usable.length < count) {
    throw new UnreachableError(`A way through ${count + 1} relays needs ${count} more than are known (${usable.length}).`, {
      code: 'BEAM_ERR_NOT_FOUND',
      retry: 'later',
      hint: 'Let this node take part in the mesh for a while (p2p.participation, p2p.peers), or use fewer hops.',
    })
  }
  const offers = usable.map((node) => {
    const place = fromNumbers(node.coordinate)
    return {
      id: node.id,
      node,
      trust: network.candidates.trustIn(node.id),
      ...(place === undefined ? {} : { distanceMs: distanceMs(network.peers.coordinate, place) }),
    }
  })
  const left = routes.order(TO_RELAY, offers, strategy)
  const picked: typeof left = []
  while (picked.length < count && left.length > 0) {
    const spare = left.length - (count - picked.length)
    picked.push(...left.splice(Math.floor(Math.random() * Math.min(DRAWN_FROM, spare + 1)), 1))
  }
  return picked.flatMap(({ node: { key, contacts } }) => (contacts[0] === undefined ? [] : [{ key, contact: contacts[0] }]))
}
