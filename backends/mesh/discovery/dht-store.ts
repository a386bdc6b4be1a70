import type HyperDHT from 'hyperdht'

/** Nodes that have to hold something before it counts as stored: four can only be lost together by a bad accident, and the others follow. */
const ENOUGH = 4
/** Answers before anything is stored: each brings the twenty nodes that its sender knows nearest to the target. */
const REPLIES_FIRST = 3
/** Nodes that are nearer, at most, among all that are heard of. Half of the 20 that hold it in the end: most of those tried early are among them. */
const NEAR_RANK = 10

/** Something that is being stored. */
export interface Storing {
  /** Fulfilled when enough nodes hold it. Rejects when that can no longer come. */
  readonly held: Promise<void>
  /** Fulfilled when all nodes that should hold it have been asked to. Rejects when none did. */
  readonly settled: Promise<void>
}

/**
 * Stores something in the DHT while it looks for the nodes that should hold it (optimistic store): hyperdht asks them when its walk has ended, and
 * the walk waits for dead nodes. `start` is to call one of hyperdht's own storing methods on what it is given.
 */
export function storeEarly(dht: HyperDHT, start: (walker: HyperDHT) => Promise<unknown>): Storing {
  let enough = (): void => {}
  const first = new Promise<void>((resolve) => (enough = resolve))
  let accepted = 0
  let refused = false
  const onAnswer = ({ error }: HyperDHT.Reply): void => {
    if (error === 0) accepted++
    else refused = true
    if (accepted >= ENOUGH && !refused) enough()
  }
  // The same node with another `query`, which all of its methods go through.
  const walker = Object.create(dht) as HyperDHT
  walker.query = (request, options) => {
    const { map, commit } = options
    const asked = new Map<string, Promise<HyperDHT.Reply>>()
    const ask = (reply: HyperDHT.Reply): Promise<HyperDHT.Reply> => {
      const place = `${reply.from.host}:${reply.from.port}`
      const answer = asked.get(place) ?? commit(reply, dht)
      if (!asked.has(place)) answer.then(onAnswer, () => {})
      asked.set(place, answer)
      return answer
    }
    const near = new NearReplies(request.target, (reply) => void ask(reply))
    return dht.query(request, {
      ...options,
      commit: ask,
      map(reply) {
        near.add(reply)
        return map(reply)
      },
    })
  }
  const settled = start(walker).then(() => {})
  settled.catch(() => {})
  return { held: Promise.race([first, settled]), settled }
}

/** Picks the answers of nodes that are near the target while the walk goes on, each once. */
class NearReplies {
  readonly #target: Uint8Array
  readonly #onNear: (reply: HyperDHT.Reply) => void
  /** Distances of all nodes that are heard of, by their place: some may be dead. A walk hears of a few hundred. */
  readonly #known = new Map<string, Uint8Array>()
  #waiting: HyperDHT.Reply[] = []
  #replies = 0

  constructor(target: Uint8Array, onNear: (reply: HyperDHT.Reply) => void) {
    this.#target = target
    this.#onNear = onNear
  }

  add(reply: HyperDHT.Reply): void {
    this.#replies++
    this.#hear(reply.from)
    for (const node of reply.closerNodes ?? []) this.#hear(node)
    if (reply.token !== null && reply.from.id !== null) this.#waiting.push(reply)
    if (this.#replies < REPLIES_FIRST) return
    const bound = [...this.#known.values()].toSorted(Buffer.compare)[NEAR_RANK]
    const isNear = ({ from: { id } }: HyperDHT.Reply): boolean =>
      id !== null && (bound === undefined || Buffer.compare(this.#distance(id), bound) < 0)
    const near = this.#waiting.filter(isNear)
    this.#waiting = this.#waiting.filter((waiting) => !near.includes(waiting))
    for (const one of near) this.#onNear(one)
  }

  #hear({ host, port, id }: HyperDHT.HostAddress & { readonly id?: Uint8Array | null }): void {
    if (id !== undefined && id !== null) this.#known.set(`${host}:${port}`, this.#distance(id))
  }

  #distance(id: Uint8Array): Uint8Array {
    return id.map((byte, index) => byte ^ (this.#target[index] ?? 0))
  }
}
