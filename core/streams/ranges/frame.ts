/**
 * The frames of the byte-range engine, alike for message networks (one frame in a message) and for paths that are streams (frames one after
 * the other). Big-endian; a frame says its own length. docs/multipath.md has the layout.
 */
import { ProtocolError } from '../../errors.ts'

/** Bytes of a frame without ranges and data. */
export const FRAME_HEADER_BYTES = 40
/** Bytes of one acknowledged range. */
const SACK_BYTES = 8
/** Ranges in one frame: with more gaps than this the next frame tells of the others. */
export const MAX_SACKS = 8
/** The length field has 16 bits. */
const MAX_FRAME_DATA_BYTES = 65_535
/** Largest frame. */
export const MAX_FRAME_BYTES = FRAME_HEADER_BYTES + MAX_SACKS * SACK_BYTES + MAX_FRAME_DATA_BYTES

/** What a frame is for; the numbers are those on the wire. Others are left to what opens streams and keeps sessions on message networks. */
const TYPES = { data: 3, ack: 4, reset: 5 } as const
export type FrameType = keyof typeof TYPES
const NAMES = new Map<number, FrameType>(Object.entries(TYPES).map(([name, number]) => [number, name as FrameType]))

const FIN = 1
const ACK_VALID = 2
const ANSWER = 4
const RESENT = 8
const KNOWN_FLAGS = FIN | ACK_VALID | ANSWER | RESENT

/** Why a stream is broken off. */
export const RESET_CODES = { refused: 1, timeout: 3, protocol: 4, local: 5, limit: 6, stopped: 7 } as const

/** What the sender of a frame has received. */
export interface Acknowledgement {
  /** All bytes below it were received; the end of the stream counts as one byte more. */
  readonly upTo: number
  /** Bytes that are accepted beyond `upTo`. */
  readonly window: number
  /** Ranges above `upTo` that were received: first offset, offset behind the last. */
  readonly ranges: ReadonlyArray<readonly [from: number, to: number]>
}

/** One frame. */
export interface Frame {
  readonly type: FrameType
  /** Number of the stream within its session. */
  readonly stream: number
  /** Offset of the first byte of `data`. A reset carries its code here. */
  readonly offset: number
  readonly data: Uint8Array
  /** Whether the stream ends behind `data`. */
  readonly fin: boolean
  /** Whether an acknowledgement is wanted at once. */
  readonly answer: boolean
  /** Whether these bytes were sent before. Information only. */
  readonly resent: boolean
  readonly ack: Acknowledgement | undefined
  /** The sender's clock in milliseconds, 32 bits, never 0. */
  readonly sentAt: number
  /** `sentAt` of the earliest frame that no acknowledgement answered yet; 0 = none. */
  readonly echo: number
}

const U32 = 0x1_0000_0000

/** A frame as bytes. */
export function encodeFrame(frame: Frame): Buffer {
  const ranges = frame.ack?.ranges.slice(0, MAX_SACKS) ?? []
  const start = FRAME_HEADER_BYTES + ranges.length * SACK_BYTES
  const bytes = Buffer.allocUnsafe(start + frame.data.length)
  bytes[0] = TYPES[frame.type]
  bytes[1] = (frame.fin ? FIN : 0) | (frame.ack === undefined ? 0 : ACK_VALID) | (frame.answer ? ANSWER : 0) | (frame.resent ? RESENT : 0)
  bytes[2] = ranges.length
  bytes[3] = 0
  bytes.writeUInt32BE(frame.stream, 4)
  writeU64(bytes, frame.offset, 8)
  const upTo = frame.ack?.upTo ?? 0
  writeU64(bytes, upTo, 16)
  bytes.writeUInt32BE(Math.min(frame.ack?.window ?? 0, U32 - 1), 24)
  bytes.writeUInt32BE(frame.sentAt >>> 0, 28)
  bytes.writeUInt32BE(frame.echo >>> 0, 32)
  // Reply budget of networks that have one; all ones where it does not apply.
  bytes.writeUInt16BE(0xffff, 36)
  bytes.writeUInt16BE(frame.data.length, 38)
  ranges.forEach(([from, to], index) => {
    bytes.writeUInt32BE(from - upTo, FRAME_HEADER_BYTES + index * SACK_BYTES)
    bytes.writeUInt32BE(to - from, FRAME_HEADER_BYTES + index * SACK_BYTES + 4)
  })
  bytes.set(frame.data, start)
  return bytes
}

/** How long the frame is that begins with these bytes; undefined when there are too few to tell. @throws ProtocolError */
export function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < FRAME_HEADER_BYTES) return undefined
  const sacks = bytes.readUInt8(2)
  if (!NAMES.has(bytes.readUInt8(0))) throw invalid('its type is unknown')
  if ((bytes.readUInt8(1) & ~KNOWN_FLAGS) !== 0 || bytes.readUInt8(3) !== 0) throw invalid('a reserved bit is set')
  if (sacks > MAX_SACKS) throw invalid('it has too many ranges')
  return FRAME_HEADER_BYTES + sacks * SACK_BYTES + bytes.readUInt16BE(38)
}

/**
 * Reads one whole frame; its data is a view of `bytes`.
 * @throws ProtocolError when it is not well-formed: nothing that the rules of the format forbid gets through.
 */
export function decodeFrame(bytes: Buffer): Frame {
  if (frameLength(bytes) !== bytes.length) throw invalid('its length is wrong')
  const type = NAMES.get(bytes.readUInt8(0)) as FrameType
  const flags = bytes.readUInt8(1)
  const sacks = bytes.readUInt8(2)
  const offset = readU64(bytes, 8)
  const upTo = readU64(bytes, 16)
  const hasAck = (flags & ACK_VALID) !== 0
  if (!hasAck && sacks > 0) throw invalid('it has ranges without an acknowledgement')
  const data = bytes.subarray(FRAME_HEADER_BYTES + sacks * SACK_BYTES)
  if (!Number.isSafeInteger(offset + data.length + 1)) throw invalid('its offset is too large')
  return {
    type,
    stream: bytes.readUInt32BE(4),
    offset,
    data,
    fin: (flags & FIN) !== 0,
    answer: (flags & ANSWER) !== 0,
    resent: (flags & RESENT) !== 0,
    ack: hasAck ? { upTo, window: bytes.readUInt32BE(24), ranges: readRanges(bytes, sacks, upTo) } : undefined,
    sentAt: bytes.readUInt32BE(28),
    echo: bytes.readUInt32BE(32),
  }
}

/** Ranges ascend and do not touch one another or what is acknowledged anyway. */
function readRanges(bytes: Buffer, count: number, upTo: number): Array<[number, number]> {
  const ranges: Array<[number, number]> = []
  let last = upTo
  for (let index = 0; index < count; index++) {
    const from = upTo + bytes.readUInt32BE(FRAME_HEADER_BYTES + index * SACK_BYTES)
    const to = from + bytes.readUInt32BE(FRAME_HEADER_BYTES + index * SACK_BYTES + 4)
    if (from <= last || to <= from) throw invalid('its ranges are out of order')
    ranges.push([from, to])
    last = to
  }
  return ranges
}

function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / U32), at)
  bytes.writeUInt32BE(value % U32, at + 4)
}

function readU64(bytes: Buffer, at: number): number {
  const value = bytes.readUInt32BE(at) * U32 + bytes.readUInt32BE(at + 4)
  if (!Number.isSafeInteger(value)) throw invalid('a number is too large')
  return value
}

function invalid(why: string): ProtocolError {
  return new ProtocolError(`Not a frame of a byte-range stream: ${why}.`)
}
