/**
 * What a peer may send, and what is thought of it. New messages cost a token each; copies of known ones a tenth, since honest gossip brings
 * several; what is forged or malformed costs the good opinion. Own experience only: never told to anybody.
 */
import type { Clock } from '../../clock.ts'

/** New messages a second that a peer may bring for long, and at once: a network of a thousand services that all change within a minute. */
const TOKENS_PER_SECOND = 50
const MAX_TOKENS = 500
const DUPLICATE_COST = 0.1
/** Opinion after which a peer is left: five forgeries, or one forgery and a flood. An honest peer forwards what it has checked, so never one. */
const WORST = -100
const INVALID_COST = 20
const FLOOD_COST = 0.5
/** Opinion that comes back in a second: a peer that was overloaded once is forgiven within a minute. */
const FORGIVEN_PER_SECOND = 0.5

/** Counts and opinion of one peer. */
export interface PeerRecord {
  readonly fresh: number
  readonly duplicates: number
  readonly invalid: number
  readonly refused: number
  /** 0 is good; at -100 the peer is left. */
  readonly opinion: number
}

/** The budget of one peer. */
export class PeerBudget {
  readonly #clock: Clock
  #tokens = MAX_TOKENS
  #opinion = 0
  #at: number
  #fresh = 0
  #duplicates = 0
  #invalid = 0
  #refused = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.monotonic()
  }

  /** Whether another new message is taken from it now. */
  takeFresh(): boolean {
    this.#refill()
    if (this.#tokens < 1) {
      this.#refused++
      this.#opinion -= FLOOD_COST
      return false
    }
    this.#tokens -= 1
    this.#fresh++
    return true
  }

  takeDuplicate(): void {
    this.#refill()
    this.#duplicates++
    this.#tokens = Math.max(0, this.#tokens - DUPLICATE_COST)
  }

  takeInvalid(): void {
    this.#refill()
    this.#invalid++
    this.#opinion -= INVALID_COST
  }

  /** Whether the peer has to be left. */
  get bad(): boolean {
    this.#refill()
    return this.#opinion <= WORST
  }

  get record(): PeerRecord {
    this.#refill()
    return { fresh: this.#fresh, duplicates: this.#duplicates, invalid: this.#invalid, refused: this.#refused, opinion: this.#opinion }
  }

  #refill(): void {
    const now = this.#clock.monotonic()
    const seconds = (now - this.#at) / 1000
    this.#at = now
    this.#tokens = Math.min(MAX_TOKENS, this.#tokens + seconds * TOKENS_PER_SECOND)
    this.#opinion = Math.min(0, this.#opinion + seconds * FORGIVEN_PER_SECOND)
  }
}
