import { UnreachableError } from '../../errors.ts'
import { encodeKey } from '../../identity/address.ts'
import type { MeshNode } from '../node/mesh-node.ts'
import { Gossip, GOSSIP_TOPICS, type GossipOptions } from './gossip.ts'

/** Gossip over the links of a node. Disposing it ends it; the node goes on. */
export interface NodeGossip extends Disposable {
  readonly gossip: Gossip
}

/** Lets a node gossip with its peers. */
export function gossipOn(node: MeshNode, options: Omit<GossipOptions, 'transport'>): NodeGossip {
  const gossip = new Gossip({
    ...options,
    transport: {
      peers: () => node.peers.map(({ id }) => id),
      ask: async (id, topic, body) => {
        const peer = node.peer(id)
        if (peer === undefined) throw new UnreachableError('The peer is gone.', { code: 'BEAM_ERR_LINK_CLOSED' })
        return peer.ask(topic, body)
      },
    },
  })
  const undo = [
    ...Object.values(GOSSIP_TOPICS).map((topic) =>
      node.serve(topic, (body, { key }) => gossip.answer(encodeKey('node', key), topic, body)),
    ),
    node.onPeer(({ peer, what }) => (what === 'up' ? gossip.onPeer(peer.id) : gossip.onGone(peer.id))),
  ]
  return {
    gossip,
    [Symbol.dispose]() {
      for (const end of undo) end()
      gossip[Symbol.dispose]()
    },
  }
}
