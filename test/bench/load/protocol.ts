/**
 * What load and origin say to each other through the tunnels. The first line of a connection decides:
 * `GET /` is HTTP with an answer of 1 KiB; `DOWN n` gets n bytes; `UP n` sends n bytes and gets `ok -`;
 * `HASH n` sends n bytes and gets `ok` and their SHA-256; `ECHO` gets back what it sends.
 */

/** Size of the body of one HTTP answer. */
export const BODY_BYTES = 1024

/** Size of one write, and of the block that downloads repeat. */
export const CHUNK_BYTES = 256 << 10

/** The block that downloads repeat: pseudo-random, the same in every process, so that the far end can tell what must arrive. */
export function block(): Buffer {
  const bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let state = 0x2545f491
  for (let at = 0; at < bytes.length; at += 4) {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes.writeInt32LE(state | 0, at)
  }
  return bytes
}

/** One piece of load. */
export type Task = { readonly port: number } & (
  | { readonly task: 'down' | 'up' | 'check'; readonly bytes: number }
  | { readonly task: 'requests' | 'connections'; readonly inFlight: number; readonly seconds: number }
  | { readonly task: 'first-byte' | 'hold' | 'crowd'; readonly count: number }
  | { readonly task: 'release' }
)

/** What came of it: seconds, counts, percentiles. */
export type Result = Readonly<Record<string, number>>

/** The answer of the load process to one task. */
export type Answer = { readonly result: Result } | { readonly error: string }
