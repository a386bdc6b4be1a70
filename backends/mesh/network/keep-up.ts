import {
  backoffDelayMs,
  encodeHeartbeat,
  PartitionWatch,
  type BeamPaths,
  type Candidates,
  type CleanupStack,
  type Clock,
  type Discovery,
  type Gossip,
  type Identity,
  type Logger,
  type MeshNode,
  type Participation,
  type PeerSet,
} from '../../../core/index.ts'
import { seekNodes } from './node-announcement.ts'
import { PeerStore } from './peer-store.ts'

/** How often the network hears that a node lives; nodes that take part lightly say nothing. */
const HEARTBEAT_MS = 30_000
const HEARTBEAT_TTL_SECONDS = 90
/** How often nodes are looked for while there are too few peers; less and less often while none are found, since each look asks dozens of nodes of the DHT. */
const SEEK_MS = 5_000
const SEEK_BACKOFF = { baseMs: SEEK_MS, maxMs: 300_000 }
const FEW_PEERS = 3
/** How often the good peers are written down. */
const SAVE_MS = 300_000

/** The parts of a node that have something to do all the time. */
export interface KeptUp {
  readonly node: MeshNode
  readonly peers: PeerSet
  readonly candidates: Candidates
  readonly gossip: Gossip
  readonly identity: Identity
  readonly participation: Participation
}

/** What they do it with. */
export interface KeepUpOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly discovery: Discovery
  readonly paths: BeamPaths
}

/** What goes on as long as the node runs: looking for nodes, saying that it lives, writing down good peers, watching for a part that is cut off. */
export function keepUp(
  { node, peers, candidates, gossip, identity, participation }: KeptUp,
  { clock, logger, discovery, paths }: KeepUpOptions,
  undo: CleanupStack,
): PartitionWatch {
  const ending = new AbortController()
  undo.defer(() => ending.abort(new Error('the node stopped')))
  const store = new PeerStore(paths, logger)
  undo.defer(() => store.save(candidates))
  const watch = new PartitionWatch({ node, peers, clock, heartbeatMs: HEARTBEAT_MS })
  undo.defer(() => watch[Symbol.dispose]())
  let looks = 0
  let nextLook = 0
  const seek = (): void => {
    const enough = node.peers.length >= FEW_PEERS && watch.suspicion === undefined
    if (enough) looks = 0
    if (ending.signal.aborted || enough || clock.monotonic() < nextLook) return
    nextLook = clock.monotonic() + backoffDelayMs(looks++, SEEK_BACKOFF)
    seekNodes({ discovery, candidates, ownKey: identity.publicKey, clock, signal: ending.signal }).then(
      (found) => {
        if (found === 0) return
        looks = 0
        peers.step()
      },
      (error: unknown) => logger.debug('nodes could not be looked for', { reason: String(error) }),
    )
  }
  const heartbeat = (): void => {
    if (participation === 'light' || node.peers.length === 0) return
    gossip.publish({ type: 'heartbeat', payload: encodeHeartbeat(peers.self()), ttlSeconds: HEARTBEAT_TTL_SECONDS })
  }
  for (const stop of [
    clock.every(SEEK_MS, seek),
    clock.every(HEARTBEAT_MS, heartbeat),
    clock.every(SAVE_MS, () => void store.save(candidates)),
  ])
    undo.defer(stop)
  void store.load(candidates).then(() => peers.step())
  seek()
  return watch
}
