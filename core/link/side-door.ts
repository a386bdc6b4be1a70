import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { UnreachableError } from '../errors.ts'
import { DOOR_WAIT_MS, MAX_DOOR_TOKENS, MAX_DOOR_TOKENS_PER_OWNER, SIDE_TOKEN_BYTES, TLS_HANDSHAKE_TYPE } from './constants.ts'

/** Marks a connection that is there for a side channel, never for a link: it ends at a relay, which is not who it is for. */
export const sideOnly = Symbol('beam.sideOnly')

/** A connection that is waited for. */
export interface Expected {
  /** For whom it is waited: nobody may have more than a few such connections outstanding. */
  readonly owner: string
  /** Takes the connection, with what follows the token still to be read. */
  readonly take: (connection: Duplex) => void
  /** Called when it has not come in time, or had to make room. */
  readonly missed?: () => void
}

/** What tells a side connection from a link: 160 bits that nobody guesses. It is no first byte of a TLS handshake. */
export function newSideToken(): Buffer {
  const token = randomBytes(SIDE_TOKEN_BYTES)
  while (token[0] === TLS_HANDSHAKE_TYPE) token[0] = randomBytes(1)[0] as number
  return token
}

/**
 * The connections that a listener was told to expect, each by a token that is good once and for a short while. Both ends learn a token over
 * a link before; whoever shows another is treated as if this door did not exist.
 */
export class SideDoor implements Disposable {
  readonly #expected = new Map<string, Expected & { readonly timer: NodeJS.Timeout }>()
  readonly #waitMs: number

  constructor({ waitMs = DOOR_WAIT_MS }: { readonly waitMs?: number } = {}) {
    this.#waitMs = waitMs
  }

  /** Connections that have not come yet. */
  get waiting(): number {
    return this.#expected.size
  }

  /**
   * Expects a connection. When too many are outstanding, the oldest makes room: whoever means it comes within a round trip or two.
   * @throws UnreachableError (`BEAM_ERR_RATE_LIMITED`) when this owner has too many, or the token is expected already
   */
  expect(expected: Expected, token: Buffer = newSideToken()): Buffer {
    const id = token.toString('hex')
    let ofOwner = 0
    for (const { owner } of this.#expected.values()) if (owner === expected.owner) ofOwner++
    if (ofOwner >= MAX_DOOR_TOKENS_PER_OWNER || this.#expected.has(id)) {
      throw new UnreachableError('Too many connections are waited for already.', { code: 'BEAM_ERR_RATE_LIMITED', retry: 'later' })
    }
    const [oldest] = this.#expected.keys()
    if (oldest !== undefined && this.#expected.size >= MAX_DOOR_TOKENS) this.#miss(oldest)
    const timer = setTimeout(() => this.#miss(id), this.#waitMs)
    timer.unref()
    this.#expected.set(id, { ...expected, timer })
    return token
  }

  /** Who takes the connection that shows these bytes; undefined when none such is expected. The token is used up. */
  enter(token: Buffer): Expected['take'] | undefined {
    return this.#remove(token.toString('hex'))?.take
  }

  /** Whether an expected token begins like this. */
  mayBe(beginning: Buffer): boolean {
    const text = beginning.toString('hex')
    for (const id of this.#expected.keys()) if (id.startsWith(text)) return true
    return false
  }

  /** Expects a connection no longer, and tells nobody. */
  forget(token: Buffer): void {
    this.#remove(token.toString('hex'))
  }

  [Symbol.dispose](): void {
    for (const id of this.#expected.keys()) this.#miss(id)
  }

  #miss(id: string): void {
    this.#remove(id)?.missed?.()
  }

  #remove(id: string): Expected | undefined {
    const expected = this.#expected.get(id)
    if (expected === undefined) return undefined
    clearTimeout(expected.timer)
    this.#expected.delete(id)
    return expected
  }
}
