import { backoffDelayMs } from '../../backoff.ts'
import type { Clock } from '../../clock.ts'
import { encodeKey } from '../../identity/address.ts'
import type { Coordinate } from './coordinate.ts'
import { experienced, STRANGER, trust, type Experience, type Reputation } from './reputation.ts'

/** Where a node was heard of. Several sources that agree are worth more than one that says much. */
export type CandidateSource = 'bootstrap' | 'config' | 'stored' | 'gossip' | 'exchange' | 'dht' | 'mdns' | 'inbound'

/** A node that could be a peer. */
export interface Candidate {
  readonly id: string
  readonly key: Uint8Array
  readonly contact: { readonly host: string; readonly port: number }
  readonly source: CandidateSource
  readonly coordinate?: Coordinate
}

interface Known {
  candidate: Candidate
  failures: number
  /** Not dialled before this time (monotonic, milliseconds). */
  notBefore: number
  bannedUntil: number
  reputation: Reputation
}

/** Nodes that are remembered: ten times what is linked to, and no more than a few hundred KB. */
const MAX_CANDIDATES = 1000
/** Of one source: none can push out what the others said. */
const MAX_PER_SOURCE = 400
/** Waits between attempts at a node: a second at first, half an hour at most. */
const RETRY = { baseMs: 1_000, maxMs: 1_800_000 }
/** Those that the user or the network named as ways in are tried at least this often: a network that was cut off comes back through them. */
const WAY_IN_RETRY = { ...RETRY, maxMs: 60_000 }
/** A ban ends: addresses change hands, and faults are mended. */
const BAN_MS = 3_600_000

/** The nodes that could be peers: where they are, when they may be dialled again, and what is thought of them. */
export class Candidates {
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#known.size
  }

  /** Notes a node. What is known of it stays; its newest contact counts. */
  add(candidate: Omit<Candidate, 'id'>): void {
    const id = encodeKey('node', candidate.key)
    const known = this.#known.get(id)
    if (known !== undefined) {
      known.candidate = { ...candidate, id, source: known.candidate.source, ...coordinateOf(candidate, known.candidate) }
      return
    }
    this.#makeRoom(candidate.source)
    this.#known.set(id, { candidate: { ...candidate, id }, failures: 0, notBefore: 0, bannedUntil: 0, reputation: STRANGER })
  }

  /** Those that may be dialled now. */
  ready(): Candidate[] {
    const now = this.#clock.monotonic()
    return [...this.#known.values()]
      .filter(({ notBefore, bannedUntil }) => notBefore <= now && bannedUntil <= now)
      .map(({ candidate }) => candidate)
  }

  get(id: string): Candidate | undefined {
    return this.#known.get(id)?.candidate
  }

  /** An attempt to link succeeded or failed. */
  tried(id: string, succeeded: boolean): void {
    const known = this.#known.get(id)
    if (known === undefined) return
    known.failures = succeeded ? 0 : known.failures + 1
    const retry = known.candidate.source === 'config' || known.candidate.source === 'bootstrap' ? WAY_IN_RETRY : RETRY
    known.notBefore = succeeded ? 0 : this.#clock.monotonic() + retry.baseMs / 2 + backoffDelayMs(known.failures - 1, retry)
    this.experience(id, succeeded ? 'reached' : 'unreached')
  }

  experience(id: string, what: Experience): void {
    const known = this.#known.get(id)
    if (known !== undefined) known.reputation = experienced(known.reputation, what, this.#clock.now())
  }

  /** Neither dialled nor accepted for an hour. */
  ban(id: string): void {
    this.experience(id, 'lied')
    const known = this.#known.get(id)
    if (known !== undefined) known.bannedUntil = this.#clock.monotonic() + BAN_MS
  }

  isBanned(id: string): boolean {
    return (this.#known.get(id)?.bannedUntil ?? 0) > this.#clock.monotonic()
  }

  /** From 0 to 1; 0.5 for one of whom nothing is known. */
  trustIn(id: string): number {
    return trust(this.#known.get(id)?.reputation ?? STRANGER, this.#clock.now())
  }

  /** What is worth remembering for the next start: nodes that were reached, the most trusted first. */
  toStore(limit: number): ReadonlyArray<{ readonly candidate: Candidate; readonly reputation: Reputation }> {
    const now = this.#clock.now()
    return [...this.#known.values()]
      .filter(({ reputation, bannedUntil }) => reputation.good > 0 && bannedUntil <= this.#clock.monotonic())
      .sort((a, b) => trust(b.reputation, now) - trust(a.reputation, now))
      .slice(0, limit)
      .map(({ candidate, reputation }) => ({ candidate, reputation }))
  }

  /** Takes back what was stored. */
  restore(stored: readonly { readonly candidate: Omit<Candidate, 'id' | 'source'>; readonly reputation: Reputation }[]): void {
    for (const { candidate, reputation } of stored) {
      this.add({ ...candidate, source: 'stored' })
      const known = this.#known.get(encodeKey('node', candidate.key))
      if (known !== undefined) known.reputation = reputation
    }
  }

  /** The least promising of a crowded source goes, or of all. Bans are kept: forgetting one would lift it. */
  #makeRoom(source: CandidateSource): void {
    const all = [...this.#known.values()]
    const ofSource = all.filter(({ candidate }) => candidate.source === source)
    const crowd = ofSource.length >= MAX_PER_SOURCE ? ofSource : all.length >= MAX_CANDIDATES ? all : []
    const now = this.#clock.monotonic()
    const worst = crowd
      .filter(({ bannedUntil }) => bannedUntil <= now)
      .reduce<Known | undefined>((least, known) => (least === undefined || known.failures > least.failures ? known : least), undefined)
    if (worst !== undefined) this.#known.delete(worst.candidate.id)
    else if (crowd.length > 0) this.#known.delete(crowd[0]?.candidate.id ?? '')
  }
}

function coordinateOf(newer: Omit<Candidate, 'id'>, older: Candidate): { coordinate?: Coordinate } {
  const coordinate = newer.coordinate ?? older.coordinate
  return coordinate === undefined ? {} : { coordinate }
}
