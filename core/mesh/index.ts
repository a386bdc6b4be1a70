export { MeshNode, type MeshNodeOptions, type StreamService } from './node/mesh-node.ts'
export type { Direction, Peer } from './node/peer.ts'
export type { PeerListener } from './node/peer-table.ts'
export type { TopicHandler } from './node/topics.ts'
