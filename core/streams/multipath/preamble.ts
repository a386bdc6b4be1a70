/**
 * How the parts of a multipath stream are told from ordinary visitors: the first bytes that its visitor sends on each path. Networks carry
 * them like any other bytes, so that it works on all of them alike. docs/multipath.md has the layout.
 */
import { createHmac, randomBytes } from 'node:crypto'

/**
 * What no ordinary client sends: drawn at random once, and its first byte begins no protocol in use (no letter, no TLS record or SOCKS
 * request, none of the small numbers with which binary protocols begin).
 */
const MAGIC = Buffer.from('d7a94e0c63f5b81298e0c5a7315fbd06', 'hex')
const VERSION = 1
const KINDS = { probe: 1, stream: 2, single: 3 } as const
const ID_BYTES = 16
/** Magic, version, kind, id, window. */
export const PREAMBLE_BYTES = MAGIC.length + 2 + ID_BYTES + 4
const MARKER_BYTES = 16
/** Marker, version, verdict. */
const ANSWER_BYTES = MARKER_BYTES + 2

/** What an end grants the other before it heard of it. */
export const FIRST_WINDOW_BYTES = 64 * 1024

/** What comes first on a path. */
export interface Preamble {
  /**
   * `probe`: only asks whether the far end is there and joins multipath streams; `stream`: a path of one; `single`: an ordinary stream whose
   * far end is to say first that it is there.
   */
  readonly kind: keyof typeof KINDS
  /** Unguessable: who knows it may join the stream. */
  readonly id: Buffer
  /** What the visitor's end takes. */
  readonly windowBytes: number
}

/** What a beginning can be: ordinary traffic, a preamble that is not complete yet, a preamble of another version, or one. */
export type Beginning = 'plain' | 'more' | 'foreign' | Preamble

/** A new stream's id. */
export function newStreamId(): Buffer {
  return randomBytes(ID_BYTES)
}

export function encodePreamble({ kind, id, windowBytes }: Preamble): Buffer {
  const bytes = Buffer.alloc(PREAMBLE_BYTES)
  MAGIC.copy(bytes)
  bytes[MAGIC.length] = VERSION
  bytes[MAGIC.length + 1] = KINDS[kind]
  id.copy(bytes, MAGIC.length + 2)
  bytes.writeUInt32BE(windowBytes, MAGIC.length + 2 + ID_BYTES)
  return bytes
}

/** Looks at the first bytes of a visitor. The first that differs decides. */
export function readBeginning(bytes: Buffer): Beginning {
  const length = Math.min(bytes.length, MAGIC.length)
  if (bytes.compare(MAGIC, 0, length, 0, length) !== 0) return 'plain'
  if (bytes.length < PREAMBLE_BYTES) return 'more'
  if (bytes[MAGIC.length] !== VERSION) return 'foreign'
  const number = bytes[MAGIC.length + 1]
  const kind = (Object.keys(KINDS) as Array<keyof typeof KINDS>).find((one) => KINDS[one] === number)
  if (kind === undefined) return 'foreign'
  const start = MAGIC.length + 2
  return { kind, id: Buffer.from(bytes.subarray(start, start + ID_BYTES)), windowBytes: bytes.readUInt32BE(start + ID_BYTES) }
}

const VERDICTS = { no: 0, yes: 1, 'not-here': 2, complete: 3 } as const

/**
 * What the publisher's end says to a preamble. `no`: not on any path, the stream is gone; `not-here`: not on this path or not now;
 * `complete`: the stream has ended, and everything arrived in both directions.
 */
export type Verdict = keyof typeof VERDICTS

export function encodeAnswer(id: Buffer, verdict: Verdict): Buffer {
  return Buffer.concat([markerOf(id), Buffer.from([VERSION, VERDICTS[verdict]])])
}

/**
 * A service that speaks first may have done so before the preamble arrived: its words come again in order, so these are passed over. More
 * than this is never sent before an answer: what a fast path carries in a round trip.
 */
export const MAX_GREETING_BYTES = 1024 * 1024

/** Finds the answer in what arrives on a path. */
export class AnswerReader {
  readonly #marker: Buffer
  #held: Buffer = Buffer.alloc(0)
  #skipped = 0

  constructor(id: Buffer) {
    this.#marker = markerOf(id)
  }

  /** The answer with what came behind it; undefined = not yet; `none` = it cannot come any more. */
  push(chunk: Buffer): { readonly verdict: Verdict; readonly rest: Buffer } | undefined | 'none' {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const at = bytes.indexOf(this.#marker)
    if (at >= 0 && bytes.length - at >= ANSWER_BYTES) {
      const number = bytes[at + MARKER_BYTES] === VERSION ? bytes[at + MARKER_BYTES + 1] : VERDICTS.no
      const verdict = (Object.keys(VERDICTS) as Verdict[]).find((one) => VERDICTS[one] === number) ?? 'no'
      return { verdict, rest: bytes.subarray(at + ANSWER_BYTES) }
    }
    // Only what may be the beginning of an answer is kept.
    const from = at >= 0 ? at : Math.max(0, bytes.length - MARKER_BYTES + 1)
    this.#skipped += from
    this.#held = bytes.subarray(from)
    return this.#skipped > MAX_GREETING_BYTES ? 'none' : undefined
  }
}

/** Nobody but the two ends can make it, so the service's own words are never taken for it. */
function markerOf(id: Buffer): Buffer {
  return createHmac('sha256', id).update('beam multipath answer').digest().subarray(0, MARKER_BYTES)
}
