import { generateIdentity, Gossip, silentLogger, type Clock } from '../../core/index.ts'

/** What became of one announcement in a network that works in lock-step. */
export interface Rounds {
  /** Nodes that had heard of it after each round. */
  readonly reached: readonly number[]
  /** Payload messages that were sent in all. */
  readonly pushed: number
}

/** Size and behaviour of the network. */
export interface RoundsOptions {
  readonly nodes: number
  /** Links of each node, about. */
  readonly links: number
  readonly rounds: number
  readonly random: () => number
  /** Nodes that take everything and hand nothing on. */
  readonly silent?: number
  /** A round in milliseconds: the time of a request and its answer. A node tells what it has every 250 ms. */
  readonly roundMs: number
}

/** A generator of numbers from 0 to below 1 (mulberry32), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Simulates one announcement: requests that are sent in a round are answered at its end. */
export async function simulateRounds(options: RoundsOptions): Promise<Rounds> {
  const { nodes, links, random, silent = 0 } = options
  const network = Array.from({ length: nodes }, () => new Set<number>())
  for (const [index, mine] of network.entries()) {
    while (mine.size < links / 2) {
      const other = Math.floor(random() * nodes)
      if (other === index) continue
      mine.add(other)
      network[other]?.add(index)
    }
  }
  let time = 0
  const tells: Array<{ readonly at: number; readonly tell: () => void }> = []
  let heard = 0
  let queue: Array<() => void> = []
  const gossips: Gossip[] = []
  for (const [index, mine] of network.entries()) {
    const clock: Clock = {
      now: () => time,
      monotonic: () => time,
      after: () => () => {},
      every: (ms, tell) => {
        tells.push({ at: Math.floor(random() * ms), tell })
        return () => {}
      },
    }
    gossips.push(
      new Gossip({
        identity: generateIdentity(),
        clock,
        logger: silentLogger,
        random,
        transport: {
          peers: () => (index > 0 && index <= silent ? [] : [...mine].map(String)),
          ask: async (peer, topic, body) => {
            await new Promise<void>((deliver) => queue.push(deliver))
            return gossips[Number(peer)]?.answer(String(index), topic, Buffer.from(body)) ?? new Uint8Array()
          },
        },
        take: () => {
          heard++
          return 'good'
        },
      }),
    )
  }
  const reached: number[] = []
  gossips[0]?.publish({ type: 'announce', payload: Buffer.alloc(400) })
  for (let round = 0; round < options.rounds; round++) {
    const now = queue
    queue = []
    for (const deliver of now) deliver()
    for (const { at, tell } of tells) if ((time + at) % 250 < options.roundMs) tell()
    time += options.roundMs
    // What follows from the answers is asked in the next round.
    await new Promise((resolve) => setImmediate(resolve))
    reached.push(1 + heard)
  }
  for (const gossip of gossips) gossip[Symbol.dispose]()
  return { reached, pushed: gossips.reduce((sum, { pushed }) => sum + pushed, 0) }
}
