import { createHash, type Hash } from 'node:crypto'
import { decodeFrame, encodeFrame } from '../../../../core/streams/ranges/frame.ts'
import { RangePath, type RangePathOptions } from '../../../../core/streams/ranges/range-path.ts'
import { RangeStream, type RangeLimits } from '../../../../core/streams/ranges/range-stream.ts'
import { seededRandom } from '../../../../core/testing/random.ts'

/** How one simulated path treats what it carries. All in milliseconds and bytes per millisecond. */
export interface SimulatedPath {
  readonly options: RangePathOptions
  readonly delayMs: readonly [from: number, to: number]
  readonly rate?: number
  readonly loss?: number
  readonly doubling?: number
  /** Nothing gets through between these times (messages are lost, a stream holds them back). */
  readonly silent?: readonly [fromMs: number, toMs: number]
  /** The path is closed at this time; what is on its way is lost. */
  readonly diesAtMs?: number
}

/** What is simulated. */
export interface Simulation {
  readonly seed: number
  readonly bytes: readonly [up: number, down: number]
  readonly paths: readonly SimulatedPath[]
  readonly windowBytes?: number
  /** The readers take nothing before this time. */
  readonly readFromMs?: number
  readonly limitMs?: number
  readonly ack?: Partial<Pick<RangeLimits, 'ackAfterFrames' | 'ackDelayMs'>>
}

/** How it went. */
export interface Outcome {
  readonly ms: number
  /** Whether every byte arrived once and in order, and both ends agree that they are done. */
  readonly exact: boolean
  readonly states: readonly string[]
  readonly received: readonly number[]
  readonly resentBytes: number
  readonly mostHeld: number
  /** The longest time without a byte for the reader of either side. */
  readonly longestGapMs: number
}

interface Event {
  readonly atMs: number
  readonly order: number
  readonly act: () => void
}

class End {
  readonly stream: RangeStream
  readonly written: Hash = createHash('sha256')
  readonly read: Hash = createHash('sha256')
  left: number
  received = 0
  lastMs = 0
  longestGapMs = 0
  ended = false

  constructor(stream: RangeStream, bytes: number) {
    this.stream = stream
    this.left = bytes
  }
}

/** Runs two ends over simulated paths until both are done or the time is over. The same seed gives the same run. */
export function simulate({ seed, bytes, paths, windowBytes = 1 << 20, readFromMs = 0, limitMs = 3_600_000, ack }: Simulation): Outcome {
  const random = seededRandom(seed)
  const limits: RangeLimits = {
    sendBytes: () => windowBytes,
    receiveBytes: () => windowBytes,
    ackAfterFrames: 2,
    ackDelayMs: 10,
    stallMs: 300_000,
    ...ack,
  }
  const ends = bytes.map((count) => new End(new RangeStream({ id: 1, limits, peerWindowBytes: windowBytes }), count)) as [End, End]
  const events: Event[] = []
  let now = 1
  let order = 0
  let mostHeld = 0
  const at = (ms: number, act: () => void): void => {
    const event = { atMs: Math.max(now, ms), order: order++, act }
    let index = events.length
    while (index > 0 && (events[index - 1] as Event).atMs > event.atMs) index -= 1
    events.splice(index, 0, event)
  }

  const links = paths.map((path) => new Link(path, ends, random, at, () => now))
  for (const { diesAtMs } of paths.filter((path) => path.diesAtMs !== undefined)) at(diesAtMs as number, () => {})

  while (now < limitMs && ends.some(({ stream }) => stream.state === 'open' || (stream.state === 'done' && !stream.drained))) {
    for (const link of links) link.dieWhenDue(now)
    for (const end of ends) {
      feed(end, random)
      for (const link of links) link.send(end === ends[0] ? 0 : 1)
      if (now >= readFromMs) drain(end, now)
      for (const link of links) link.send(end === ends[0] ? 0 : 1)
      mostHeld = Math.max(mostHeld, end.stream.heldBytes)
    }
    const wakes = ends.flatMap(({ stream }) => stream.wakeAtMs(now) ?? [])
    const blocked = links.flatMap((link) => link.freeAtMs(now))
    const next = Math.min(
      events[0]?.atMs ?? Infinity,
      ...wakes.map((ms) => Math.max(ms, now + 1)),
      ...blocked,
      now < readFromMs ? readFromMs : Infinity,
    )
    if (next === Infinity) break
    now = Math.max(now, next)
    while (events[0] !== undefined && events[0].atMs <= now) events.shift()?.act()
    for (const { stream } of ends) stream.tick(now)
  }
  const [a, b] = ends
  const exact =
    a.stream.state === 'done' &&
    b.stream.state === 'done' &&
    a.received === bytes[1] &&
    b.received === bytes[0] &&
    a.written.digest('hex') === b.read.digest('hex') &&
    b.written.digest('hex') === a.read.digest('hex')
  return {
    ms: now,
    exact,
    states: ends.map(({ stream }) => stream.state),
    received: ends.map(({ received }) => received),
    resentBytes: a.stream.resentBytes + b.stream.resentBytes,
    mostHeld,
    longestGapMs: Math.max(a.longestGapMs, b.longestGapMs),
  }
}

function feed(end: End, random: () => number): void {
  while (end.left > 0 && end.stream.room > 0) {
    const length = Math.min(end.left, 1 + Math.floor(random() * 40_000))
    const chunk = Buffer.alloc(length)
    for (let index = 0; index < length; index += 97) chunk[index] = Math.floor(random() * 256)
    end.written.update(chunk)
    end.stream.write(chunk)
    end.left -= length
  }
  if (end.left === 0 && !end.ended) {
    end.ended = true
    end.stream.end()
  }
}

function drain(end: End, now: number): void {
  for (let chunk = end.stream.read(); chunk !== undefined; chunk = end.stream.read()) {
    end.read.update(chunk)
    end.received += chunk.length
    end.longestGapMs = Math.max(end.longestGapMs, now - end.lastMs)
    end.lastMs = now
  }
}

/** One path between the two ends. */
class Link {
  readonly #path: SimulatedPath
  readonly #ends: readonly End[]
  readonly #random: () => number
  readonly #at: (ms: number, act: () => void) => void
  readonly #now: () => number
  readonly #sides: readonly RangePath[]
  /** When the line of each direction is free, and when its last frame arrives (a stream keeps the order). */
  readonly #freeAt = [0, 0]
  readonly #lastAt = [0, 0]
  #dead = false

  constructor(
    path: SimulatedPath,
    ends: readonly End[],
    random: () => number,
    at: (ms: number, act: () => void) => void,
    now: () => number,
  ) {
    this.#path = path
    this.#ends = ends
    this.#random = random
    this.#at = at
    this.#now = now
    this.#sides = ends.map(({ stream }) => {
      const side = new RangePath(path.options)
      stream.addPath(side)
      return side
    })
  }

  dieWhenDue(now: number): void {
    if (this.#dead || this.#path.diesAtMs === undefined || now < this.#path.diesAtMs) return
    this.#dead = true
    this.#ends.forEach(({ stream }, side) => stream.removePath(this.#sides[side] as RangePath))
  }

  freeAtMs(now: number): number[] {
    return this.#dead ? [] : this.#freeAt.filter((ms) => ms > now)
  }

  /** Sends what one end has for this path, until its line is busy for more than a little. */
  send(from: 0 | 1): void {
    const { rate = Infinity, options } = this.#path
    const now = this.#now()
    const side = this.#sides[from] as RangePath
    while (!this.#dead && (this.#freeAt[from] as number) <= now + 5) {
      const frame = (this.#ends[from] as End).stream.next(side, now)
      if (frame === undefined) return
      const bytes = encodeFrame(frame)
      const leaves = Math.max(now, this.#freeAt[from] as number) + bytes.length / rate
      this.#freeAt[from] = leaves
      if (options.reliable) this.#carry(bytes, from, leaves)
      else for (let copies = this.#random() < (this.#path.doubling ?? 0) ? 2 : 1; copies > 0; copies--) this.#carry(bytes, from, leaves)
    }
  }

  #carry(bytes: Buffer, from: 0 | 1, leaves: number): void {
    const { delayMs, loss = 0, silent, options } = this.#path
    let arrives = leaves + delayMs[0] + this.#random() * (delayMs[1] - delayMs[0])
    const held = silent !== undefined && arrives >= silent[0] && arrives < silent[1]
    if (options.reliable) {
      if (held) arrives = silent[1]
      arrives = Math.max(arrives, this.#lastAt[from] as number)
      this.#lastAt[from] = arrives
    } else if (held || this.#random() < loss) return
    if (arrives === Infinity) return
    this.#at(arrives, () => {
      if (this.#dead) return
      const to = from === 0 ? 1 : 0
      ;(this.#ends[to] as End).stream.receive(this.#sides[to] as RangePath, decodeFrame(bytes), this.#now())
    })
  }
}
