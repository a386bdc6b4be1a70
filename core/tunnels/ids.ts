import { randomBytes } from 'node:crypto'

/** Letters of an id: no vowels (no words by accident) and nothing that looks like something else. */
const LETTERS = 'bcdfghjkmnpqrstvwxz23456789'
/** Eight letters of 27: 38 bits, enough for the tunnels of one user and short enough to type. */
const ID_LENGTH = 8

/** A short random id for a tunnel of this process or its daemon. It is a handle, not a secret. */
export function newTunnelId(): string {
  return Array.from(randomBytes(ID_LENGTH), (byte) => LETTERS[byte % LETTERS.length]).join('')
}
