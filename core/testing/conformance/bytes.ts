import { createHash, type Hash } from 'node:crypto'
import type { Duplex, Readable } from 'node:stream'

/** Bytes of one chunk: as large as a read from a socket. */
const CHUNK_BYTES = 64 * 1024
/** How long a slow reader rests after each chunk, and before the first, in milliseconds. */
const REST_MS = 2
const FIRST_REST_MS = 50
/** In how many parts the wait for a stall is divided. */
const STALL_TICKS = 20

const ignore = (): void => {}

/** Keeps an error from ending the process; 'close' tells the suite of it. */
function hush(stream: Readable): void {
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore)
}

/** 251 is prime, so that no shift of the pattern fits onto itself within a chunk. */
const PATTERN = Buffer.from(Array.from({ length: CHUNK_BYTES + 251 }, (_, at) => (at % 251) ^ ((at >> 8) & 0xff)))

/** Bytes in which every loss, repetition and exchange shows: each chunk starts with its number, and the rest differs from chunk to chunk. */
export function* patternChunks(length: number): Generator<Buffer> {
  for (let offset = 0, index = 0; offset < length; offset += CHUNK_BYTES, index += 1) {
    const shift = index % 251
    const chunk = Buffer.from(PATTERN.subarray(shift, shift + Math.min(CHUNK_BYTES, length - offset)))
    if (chunk.length >= 4) chunk.writeUInt32BE(index)
    yield chunk
  }
}

/** SHA-256 of the pattern, in hex. */
export function patternDigest(length: number): string {
  const hash = createHash('sha256')
  for (const chunk of patternChunks(length)) hash.update(chunk)
  return hash.digest('hex')
}

/** How the readable side of a stream ended: properly, or broken off. */
export type Ending = 'end' | 'reset'

/** What arrived on a stream until its readable side ended. */
export interface Received {
  readonly bytes: number
  readonly sha256: string
  readonly ending: Ending
}

/** Reads until the end or a reset; slowly when asked to. Never rejects. */
export function receive(stream: Duplex, options: { readonly slow?: boolean } = {}): Promise<Received> {
  return new Promise((resolve) => {
    const hash: Hash = createHash('sha256')
    let bytes = 0
    const finish = (ending: Ending): void => resolve({ bytes, sha256: hash.copy().digest('hex'), ending })
    const rest = (ms: number): void => {
      stream.pause()
      setTimeout(() => stream.resume(), ms)
    }
    hush(stream)
    if (stream.readableEnded) return finish('end')
    if (stream.destroyed) return finish('reset')
    stream.on('end', () => finish('end'))
    stream.on('close', () => finish('reset'))
    stream.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      bytes += chunk.length
      if (options.slow === true) rest(REST_MS)
    })
    if (options.slow === true) rest(FIRST_REST_MS)
    else stream.resume()
  })
}

/** How the stream ends; what arrives before is read and dropped. */
export async function ending(stream: Duplex): Promise<Ending> {
  return (await receive(stream)).ending
}

/** Exactly `length` bytes. @throws when the stream ends before. */
export async function readExactly(stream: Readable, length: number): Promise<Buffer> {
  hush(stream)
  const parts: Buffer[] = []
  let missing = length
  while (missing > 0) {
    const part = stream.read(Math.min(missing, Math.max(1, stream.readableLength))) as Buffer | null
    if (part === null) {
      await moreToRead(stream, length - missing)
      continue
    }
    parts.push(part)
    missing -= part.length
  }
  return Buffer.concat(parts)
}

function moreToRead(stream: Readable, got: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (how: string) => (): void => settle(() => reject(new Error(`the stream ${how} after ${got} bytes`)))
    const onEnd = gone('ended')
    const onClose = gone('was reset')
    const onReadable = (): void => settle(resolve)
    function settle(then: () => void): void {
      stream.off('readable', onReadable).off('end', onEnd).off('close', onClose)
      then()
    }
    if (stream.readableEnded) return onEnd()
    if (stream.destroyed) return onClose()
    stream.on('readable', onReadable).on('end', onEnd).on('close', onClose)
  })
}

/** Writes with respect to back-pressure. @throws when the stream is closed before it took everything. */
export async function sendAll(stream: Duplex, chunks: Iterable<Uint8Array>, options: { readonly end?: boolean } = {}): Promise<void> {
  hush(stream)
  for (const chunk of chunks) {
    if (stream.destroyed) throw new Error('the stream was closed while it was written to')
    if (!stream.write(chunk)) await drained(stream)
  }
  if (options.end === true) stream.end()
}

function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDrain = (): void => settle(resolve)
    const onClose = (): void => settle(() => reject(new Error('the stream was closed while it was written to')))
    function settle(then: () => void): void {
      stream.off('drain', onDrain).off('close', onClose)
      then()
    }
    stream.on('drain', onDrain).on('close', onClose)
  })
}

/**
 * Writes until the stream takes no more for `stallMs`, or `most` bytes went in. Returns how many the stream took over. Time is counted in
 * turns of the event loop, so that a machine that is busy elsewhere is not taken for a stream that stands still.
 */
export function writeUntilStalled(stream: Duplex, options: { readonly most: number; readonly stallMs: number }): Promise<number> {
  return new Promise((resolve) => {
    const chunk = Buffer.alloc(CHUNK_BYTES, 0x5a)
    let taken = 0
    let idleTicks = 0
    let done = false
    const ticker = setInterval(() => ++idleTicks >= STALL_TICKS && finish(), options.stallMs / STALL_TICKS)
    hush(stream)
    function finish(): void {
      done = true
      clearInterval(ticker)
      resolve(taken)
    }
    function write(): void {
      if (done || stream.destroyed) return
      stream.write(chunk, (error) => {
        if (error !== null && error !== undefined) return
        taken += chunk.length
        idleTicks = 0
        if (taken >= options.most) finish()
        else write()
      })
    }
    write()
  })
}
