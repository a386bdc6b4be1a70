import { createHash } from 'node:crypto'

/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** Opcode of a binary message in one frame (RFC 6455 section 5.2). */
const FINAL_BINARY = 0x82

/** The answer to a handshake's key (RFC 6455 section 4.2.2). */
export function acceptValue(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}

/** One binary frame of at most 65,535 bytes; masked when a mask of four bytes is given, as clients must (section 5.3). */
export function encodeFrame(payload: Uint8Array, mask?: Uint8Array): Buffer {
  const short = payload.length < 126
  const head = Buffer.alloc(short ? 2 : 4)
  const masked = mask === undefined ? 0 : 0x80
  head[0] = FINAL_BINARY
  head[1] = masked | (short ? payload.length : 126)
  if (!short) head.writeUInt16BE(payload.length, 2)
  return mask === undefined ? Buffer.concat([head, payload]) : Buffer.concat([head, mask, unmask(payload, mask)])
}

/** Takes frames out of a byte stream. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0)

  /** The payloads that are complete now. @throws when the bytes are no frames of the suite. */
  push(data: Buffer): Buffer[] {
    this.#pending = Buffer.concat([this.#pending, data])
    const payloads: Buffer[] = []
    for (let payload = this.#next(); payload !== undefined; payload = this.#next()) payloads.push(payload)
    return payloads
  }

  #next(): Buffer | undefined {
    const bytes = this.#pending
    if (bytes.length < 2) return undefined
    const masked = ((bytes[1] ?? 0) & 0x80) !== 0
    const code = (bytes[1] ?? 0) & 0x7f
    if (bytes[0] !== FINAL_BINARY || code === 127) throw new Error('these bytes are no frame of the suite')
    const headLength = 2 + (code === 126 ? 2 : 0)
    if (bytes.length < headLength) return undefined
    const length = code === 126 ? bytes.readUInt16BE(2) : code
    const start = headLength + (masked ? 4 : 0)
    if (bytes.length < start + length) return undefined
    this.#pending = bytes.subarray(start + length)
    const payload = bytes.subarray(start, start + length)
    return masked ? unmask(payload, bytes.subarray(headLength, start)) : Buffer.from(payload)
  }
}

function unmask(payload: Uint8Array, mask: Uint8Array): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
}
