export { MeshNode, type MeshNodeOptions, type StreamService } from './node/mesh-node.ts'
export { NODE_OBSERVED } from './node/observed.ts'
export type { Direction, Peer } from './node/peer.ts'
export type { PeerListener } from './node/peer-table.ts'
export type { TopicHandler } from './node/topics.ts'
export { Gossip, type GossipOptions, type GossipTransport, type Verdict } from './gossip/gossip.ts'
export { MAX_GOSSIP_TTL_SECONDS, type GossipMessage, type GossipType } from './gossip/message.ts'
export { News, type HeardNode } from './gossip/news.ts'
export { gossipOn, type NodeGossip } from './gossip/on-node.ts'
export {
  encodeHeartbeat,
  encodeRoutes,
  PARTICIPATIONS,
  type HeartbeatPayload,
  type Participation,
  type RouteEntry,
} from './gossip/payloads.ts'
export { RecordCache } from './gossip/record-cache.ts'
export { relayLimits, type RelayLimits } from './relay/relay-limits.ts'
export { RelayService, type RelayFigures } from './relay/relay-service.ts'
export { decodeReservation, encodeRequest, proveService, RESERVE_TOPIC, type Reservation } from './relay/reservation.ts'
export { StreamRouter } from './relay/stream-router.ts'
export { dialThroughRelays, MAX_HOPS, type RelayedWay, type RelayHop } from './relay/through-relays.ts'
export { Candidates, type Candidate as NodeCandidate, type CandidateSource } from './peers/candidates.ts'
export { distanceMs, fromNumbers, moved, toNumbers, UNKNOWN, type Coordinate } from './peers/coordinate.ts'
export { PEER_TOPICS } from './peers/exchange.ts'
export { PartitionWatch, type PartitionSuspicion } from './peers/partition.ts'
export { PeerSet, type PeerGoal, type PeerSetOptions } from './peers/peer-set.ts'
export { isLocal, prefixOf } from './peers/prefix.ts'
export { experienced, STRANGER, trust, type Experience, type Reputation } from './peers/reputation.ts'
export { decodeClaimants, LOOKUP_TOPICS, serveLookups } from './rendezvous/lookup.ts'
export { rendezvousNodeKey, rendezvousRecordKey } from './rendezvous/derived-key.ts'
export { findService, type FoundService } from './rendezvous/find-service.ts'
export { formatMeetingPlace, parseMeetingPlace, type MeetingPlace } from './rendezvous/meeting-place.ts'
export { registerRecord, serveRegistrations } from './rendezvous/register.ts'
export { Registration } from './rendezvous/registration.ts'
export { ServiceRegistration } from './rendezvous/service-registration.ts'
export { visitsBy, type VisitPlace } from './rendezvous/visit-place.ts'
