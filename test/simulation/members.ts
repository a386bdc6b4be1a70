import { randomBytes } from 'node:crypto'
import { Candidates, encodeHeartbeat, gossipOn, PeerSet, silentLogger, type Gossip, type GossipMessage } from '../../core/index.ts'
import { decodeEnvelope, encodeEnvelope, messageId, sealMessage } from '../../core/mesh/gossip/message.ts'
import { fromBatch, toBatches } from '../../core/mesh/gossip/batches.ts'
import { encodePeers, PEER_TOPICS } from '../../core/mesh/peers/exchange.ts'
import type { MemoryNetwork, MemoryNode } from './memory-network.ts'

/** A node that keeps to the rules. */
export interface Honest {
  readonly node: MemoryNode
  readonly set: PeerSet
  readonly candidates: Candidates
  readonly gossip: Gossip
  readonly heard: GossipMessage[]
  /** Peers that it banned. */
  readonly banned: Set<string>
}

export function honest(
  network: MemoryNetwork,
  host: string,
  random: () => number,
  goal = { min: 8, max: 24 },
  onNews: (message: GossipMessage) => void = () => {},
): Honest {
  const node = network.add(host)
  const { clock } = network
  const candidates = new Candidates(clock)
  const set = new PeerSet({
    node: node.asNode,
    clock,
    logger: silentLogger,
    goal,
    candidates,
    self: () => ({ participation: 'full', contacts: [node.contact] }),
    random,
  })
  const heard: GossipMessage[] = []
  const banned = new Set<string>()
  const { gossip } = gossipOn(node.asNode, {
    identity: node.identity,
    clock,
    logger: silentLogger,
    random,
    take: (message) => {
      // As the news do: a node that says too often that it lives is not handed on.
      if (message.type === 'heartbeat') return 'stale'
      heard.push(message)
      onNews(message)
      return 'good'
    },
    onBadPeer: (peer, reason) => {
      banned.add(peer)
      set.ban(peer, reason)
    },
  })
  return { node, set, candidates, gossip, heard, banned }
}

/** New messages that a flood brings: more than a peer may bring at once, by enough to lose the good opinion. */
const FLOOD = 720
const FORGED = 8

/** What a hostile node does besides telling of its accomplices only. */
export type Attack = 'drop' | 'lie' | 'flood' | 'forge'

/** A node that works against the others, with the links of a set of peers of its own. */
export function hostile(
  network: MemoryNetwork,
  host: string,
  attack: Attack,
  random: () => number,
): { node: MemoryNode; candidates: Candidates; set: PeerSet } {
  const node = network.add(host)
  const { clock } = network
  const candidates = new Candidates(clock)
  const set = new PeerSet({
    node: node.asNode,
    clock,
    logger: silentLogger,
    goal: { min: 16, max: 40 },
    candidates,
    self: () => ({ participation: 'full', contacts: [node.contact] }),
    random,
  })
  const accomplices: MemoryNode[] = []
  node.serve(PEER_TOPICS.peers, () => encodePeers(accomplices.map(({ identity, contact }) => ({ key: identity.publicKey, contact }))))
  queueMicrotask(() => accomplices.push(...[...network.nodes.values()].filter(isHostile).slice(0, 32)))
  const known = new Set<string>()
  let junk: readonly Uint8Array[] | undefined
  const send = (messages: readonly Uint8Array[]): void => {
    const honestOnes = node.links.filter(({ remote }) => !isHostile(remote))
    for (const peer of honestOnes) for (const batch of toBatches(messages)) void peer.ask('gossip/push', batch).catch(() => {})
  }
  node.serve('gossip/have', () => new Uint8Array())
  node.serve('gossip/push', (body) => {
    const messages = fromBatch(body).filter((one) => {
      const text = messageId(decodeEnvelope(one))
      return !known.has(text) && known.add(text)
    })
    // It hands on what was signed under a signature that is none, or with no hops left: either could keep the genuine message out.
    if (attack === 'lie') {
      send(
        messages.flatMap((one) => {
          const envelope = decodeEnvelope(one)
          return [encodeEnvelope({ ...envelope, signature: randomBytes(64) }), encodeEnvelope({ ...envelope, hops: 0 })]
        }),
      )
    }
    return new Uint8Array()
  })
  if (attack === 'flood' || attack === 'forge') {
    const served = new WeakSet<object>()
    clock.every(1_000, () => {
      for (const peer of node.links) {
        if (served.has(peer) || isHostile(peer.remote)) continue
        served.add(peer)
        junk ??= attack === 'flood' ? newMessages(node, clock.now(), FLOOD) : newMessages(node, clock.now(), FORGED).map(forged)
        for (const batch of toBatches(junk)) void peer.ask('gossip/push', batch).catch(() => {})
      }
    })
  }
  hostileHosts.add(node)
  return { node, candidates, set }
}

const hostileHosts = new WeakSet<MemoryNode>()
export const isHostile = (node: MemoryNode): boolean => hostileHosts.has(node)

/** Genuine messages that nobody needs. */
function newMessages({ identity }: MemoryNode, sentAt: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    encodeEnvelope(
      sealMessage({ type: 'heartbeat', sequence: sentAt + index, sentAt, ttlSeconds: 600, payload: randomBytes(16) }, identity),
    ),
  )
}

const forged = (message: Uint8Array): Uint8Array => encodeEnvelope({ ...decodeEnvelope(message), signature: randomBytes(64) })

/** One of many names of one attacker: it has nothing to say, and wants to be linked to a victim. */
export function name(network: MemoryNetwork, host: string, victim: MemoryNode): MemoryNode {
  const node = network.add(host)
  hostileHosts.add(node)
  node.serve(PEER_TOPICS.info, () => encodeHeartbeat({ participation: 'full', contacts: [node.contact], links: 40 }))
  node.serve(PEER_TOPICS.ping, () => new Uint8Array())
  node.serve(PEER_TOPICS.peers, () => {
    const others = [...network.nodes.values()].filter(isHostile).slice(0, 32)
    return encodePeers(others.map(({ identity, contact }) => ({ key: identity.publicKey, contact })))
  })
  network.clock.every(5_000, () => void node.connect(victim.contact, victim.identity.publicKey).catch(() => {}))
  return node
}
