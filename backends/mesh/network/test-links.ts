import { NODE_OBSERVED, PEER_TOPICS } from '../../../core/index.ts'
import type { MeshNetwork } from './mesh-network.ts'

/** How long a peer may take to answer. */
const ANSWER_MS = 5_000
/** Round trips of one peer: the smallest is the network's. */
const ROUNDS = 3

/** What one peer answered just now. */
export interface LinkTest {
  readonly id: string
  readonly ok: boolean
  /** The smallest of a few round trips. */
  readonly roundTripMs?: number
  /** Under which address the peer sees this node. */
  readonly observed?: string
  readonly reason?: string
}

/** Asks every linked peer, all at once, a few times whether it is there, and under which address it sees this node. */
export async function testLinks(network: MeshNetwork): Promise<readonly LinkTest[]> {
  return Promise.all(
    network.node.peers.map(async (peer): Promise<LinkTest> => {
      const signal = AbortSignal.timeout(ANSWER_MS)
      try {
        const trips: number[] = []
        for (let round = 0; round < ROUNDS; round++) {
          const start = performance.now()
          await peer.ask(PEER_TOPICS.ping, new Uint8Array(), signal)
          trips.push(performance.now() - start)
        }
        // A peer of another version may not tell.
        const observed = await peer.ask(NODE_OBSERVED, new Uint8Array(), signal).then(placeOf, () => undefined)
        return { id: peer.id, ok: true, roundTripMs: Math.min(...trips), ...(observed === undefined ? {} : { observed }) }
      } catch (error) {
        return { id: peer.id, ok: false, reason: signal.aborted ? `no answer in ${ANSWER_MS / 1000} s` : (error as Error).message }
      }
    }),
  )
}

/** `192.0.2.1 4001`, as a peer writes it; undefined for anything else. */
function placeOf(answer: Buffer): string | undefined {
  const match = /^([0-9a-f.:]{2,45}) (\d{1,5})$/i.exec(answer.toString('utf8', 0, 64))
  if (match?.[1] === undefined) return undefined
  return match[1].includes(':') ? `[${match[1]}]:${match[2]}` : `${match[1]}:${match[2]}`
}
