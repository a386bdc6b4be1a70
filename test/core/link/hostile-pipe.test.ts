import { once } from 'node:events'
import type { ClientHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { generateIdentity } from '../../../core/index.ts'
import { ABORT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from '../../../core/link/constants.ts'
import type { LinkStream } from '../../../core/link/index.ts'
import { listenForPair, type Pair } from './pair.ts'
import { rawTls, rawVisitor, type RawVisitor } from './raw-visitor.ts'

interface Attack extends AsyncDisposable {
  readonly pair: Pair
  readonly visitor: RawVisitor
  /** The visitor's end, of which three bytes have come in at the other one. */
  readonly stream: ClientHttp2Stream
  readonly far: LinkStream
  /** What the publisher's end reads, and how that ends. */
  readonly seen: { text: string; outcome: string | undefined }
  /** A side channel of the stream that claims to follow so many bytes. */
  pipe(offset: number, streamId?: number): Promise<TLSSocket>
  /** Ends the visitor's direction. */
  end(trailers: Record<string, string | string[]>): void
}

async function attack(): Promise<Attack> {
  const pair = await listenForPair({
    onStream: (stream) => {
      stream.accept()
      pair.arrived.push(stream)
    },
  })
  const visitor = await rawVisitor(pair.port)
  const { stream } = await visitor.open()
  stream.resume()
  const far = pair.arrived[0] as LinkStream
  const seen: Attack['seen'] = { text: '', outcome: undefined }
  far.on('data', (chunk: Buffer) => (seen.text += chunk.toString()))
  far.on('end', () => (seen.outcome = 'end'))
  far.on('error', (error: Error & { code?: string }) => (seen.outcome = error.code))
  stream.write('abc')
  await vi.waitFor(() => expect(seen.text).toBe('abc'), { timeout: 10_000 })
  return {
    pair,
    visitor,
    stream,
    far,
    seen,
    async pipe(offset, streamId = stream.id ?? 0) {
      const tls = await visitor.openPipe()
      tls.resume()
      const preamble = Buffer.alloc(12)
      preamble.writeUInt32BE(streamId)
      preamble.writeBigUInt64BE(BigInt(offset), 4)
      tls.write(Buffer.concat([visitor.token, preamble]))
      return tls
    },
    end(trailers) {
      stream.once('wantTrailers', () => stream.sendTrailers(trailers))
      stream.end()
    },
    async [Symbol.asyncDispose]() {
      visitor[Symbol.dispose]()
      await pair[Symbol.asyncDispose]()
    },
  }
}

const BROKEN = /^BEAM_ERR_(LINK_PROTOCOL|STREAM_RESET)$/

async function expectReset({ seen }: Attack): Promise<void> {
  await vi.waitFor(() => expect(seen.outcome).toMatch(BROKEN), { timeout: 10_000 })
}

it('passes on what a side channel carries, and its end', async () => {
  await using at = await attack()
  const pipe = await at.pipe(3)
  pipe.write('defgh')
  at.end({ 'beam-pipe': '5' })
  await vi.waitFor(() => expect(at.seen).toEqual({ text: 'abcdefgh', outcome: 'end' }), { timeout: 10_000 })
})

it('resets a stream whose side channel says that more came before than did', async () => {
  await using at = await attack()
  const pipe = await at.pipe(4)
  pipe.write('xxxxx')
  await wait(30)
  at.end({ 'beam-pipe': '5' })
  await expectReset(at)
  expect(at.seen.text).toBe('abc')
})

it('resets a stream whose side channel says that less came before than did', async () => {
  await using at = await attack()
  const pipe = await at.pipe(1)
  pipe.write('xxxxx')
  await expectReset(at)
  expect(at.seen.text).toBe('abc')
})

it('resets a stream that goes on in the link after it has gone on in its side channel', async () => {
  await using at = await attack()
  const pipe = await at.pipe(3)
  pipe.write('def')
  await vi.waitFor(() => expect(at.seen.text).toBe('abcdef'), { timeout: 10_000 })
  at.stream.write('x')
  await expectReset(at)
  expect(at.seen.text).toBe('abcdef')
})

it.each(['before', 'after'])('resets a stream whose side channel ends early, %s its trailer', async (when) => {
  await using at = await attack()
  const pipe = await at.pipe(3)
  pipe.write('def')
  await vi.waitFor(() => expect(at.seen.text).toBe('abcdef'), { timeout: 10_000 })
  if (when === 'before') pipe.end()
  else at.end({ 'beam-pipe': '5' })
  await wait(30)
  expect(at.seen.outcome).not.toBe('end')
  if (when === 'before') at.end({ 'beam-pipe': '5' })
  else pipe.end()
  await expectReset(at)
})

it('takes bytes beyond the end for a reset, or drops them when they come behind it', async () => {
  for (const first of ['bytes', 'trailer']) {
    await using at = await attack()
    const pipe = await at.pipe(3)
    pipe.write(first === 'bytes' ? 'defgh' : 'def')
    await vi.waitFor(() => expect(at.seen.text.length).toBeGreaterThan(5), { timeout: 10_000 })
    at.end({ 'beam-pipe': '3' })
    if (first === 'bytes') await expectReset(at)
    else {
      await vi.waitFor(() => expect(at.seen).toEqual({ text: 'abcdef', outcome: 'end' }), { timeout: 10_000 })
      pipe.write('gh')
      await wait(30)
      expect(at.seen).toEqual({ text: 'abcdef', outcome: 'end' })
      expect((await at.visitor.open()).status).toBe(200)
    }
  }
})

it('resets a stream whose trailer is malformed', async () => {
  for (const total of ['-1', '1e3', '0x10', '9'.repeat(16), '1.5', ['1', '1']]) {
    await using at = await attack()
    at.end({ 'beam-pipe': total })
    await expectReset(at)
  }
})

it('resets a stream that is broken off in its trailer, whatever else that says', async () => {
  await using at = await attack()
  const pipe = await at.pipe(3)
  pipe.write('def')
  await vi.waitFor(() => expect(at.seen.text).toBe('abcdef'), { timeout: 10_000 })
  at.end({ 'beam-reset': '1', 'beam-pipe': '3' })
  await expectReset(at)
})

it('does not wait for ever for a side channel that is announced and never comes', async () => {
  await using at = await attack()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    at.far.end()
    at.end({ 'beam-pipe': '5' })
    await once(at.stream, 'close')
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    expect(at.seen.outcome).toBeUndefined()
    vi.advanceTimersByTime(REQUEST_TIMEOUT_MS)
  } finally {
    vi.useRealTimers()
  }
  await expectReset(at)
})

it('does not wait for ever for the end of a stream whose side channel has ended', async () => {
  await using at = await attack()
  const pipe = await at.pipe(3)
  pipe.write('def')
  await vi.waitFor(() => expect(at.seen.text).toBe('abcdef'), { timeout: 10_000 })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    pipe.end()
    await once(pipe, 'close')
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    // The trailer may come behind the connection's end.
    expect(at.seen.outcome).toBeUndefined()
    vi.advanceTimersByTime(REQUEST_TIMEOUT_MS)
  } finally {
    vi.useRealTimers()
  }
  await expectReset(at)
})

it('closes a side channel that stays open after both ends of its stream', async () => {
  await using at = await attack()
  const pipe = await at.pipe(3)
  pipe.write('def')
  await vi.waitFor(() => expect(at.seen.text).toBe('abcdef'), { timeout: 10_000 })
  // The visitor's TLS connection would answer an end with an end.
  pipe.allowHalfOpen = true
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    at.end({ 'beam-pipe': '3' })
    at.far.end()
    await once(at.far, 'close')
    vi.advanceTimersByTime(ABORT_TIMEOUT_MS)
  } finally {
    vi.useRealTimers()
  }
  await vi.waitFor(
    () => {
      // Who writes to a connection that is closed at the other end is told so.
      pipe.write('x')
      expect(pipe.destroyed).toBe(true)
    },
    { timeout: 10_000 },
  )
})

it('does not go on in the link when the side channel that it sends through is ended', async () => {
  await using at = await attack()
  const pipe = await at.pipe(3)
  pipe.write('def')
  await vi.waitFor(() => expect(at.seen.text).toBe('abcdef'), { timeout: 10_000 })
  let viaLink = ''
  at.stream.on('data', (chunk: Buffer) => (viaLink += chunk.toString()))
  at.far.write('one')
  await wait(30)
  pipe.end()
  await wait(30)
  at.far.write('two')
  await expectReset(at)
  expect(viaLink).toBe('')
})

/** Waits until a connection is over, with or without a reset. */
async function closed(socket: TLSSocket): Promise<void> {
  socket.on('error', () => {})
  await vi.waitFor(() => expect(socket.closed).toBe(true), { timeout: 10_000 })
}

it('turns away side channels of other keys, links and streams, and second ones', async () => {
  await using at = await attack()
  const stranger = await rawTls(at.pair.port, generateIdentity())
  stranger.resume()
  stranger.write(Buffer.concat([at.visitor.token, Buffer.from([0, 0, 0, at.stream.id ?? 0])]))
  await closed(stranger)
  for (const id of [0, 3, 2 ** 32 - 1]) {
    const wrong = await at.pipe(3, id)
    await closed(wrong)
  }
  const first = await at.pipe(3)
  first.write('d')
  await vi.waitFor(() => expect(at.seen.text).toBe('abcd'), { timeout: 10_000 })
  const second = await at.pipe(3)
  second.write('x')
  await closed(second)
  first.write('ef')
  at.end({ 'beam-pipe': '3' })
  await vi.waitFor(() => expect(at.seen).toEqual({ text: 'abcdef', outcome: 'end' }), { timeout: 10_000 })
})

it('takes a preamble that comes byte by byte', async () => {
  await using at = await attack()
  const pipe = await at.visitor.openPipe()
  pipe.resume()
  const rest = Buffer.alloc(12)
  rest.writeUInt32BE(at.stream.id ?? 0)
  rest.writeBigUInt64BE(3n, 4)
  for (const byte of Buffer.concat([at.visitor.token, rest, Buffer.from('def')])) {
    pipe.write(Uint8Array.of(byte))
    await new Promise(setImmediate)
  }
  at.end({ 'beam-pipe': '3' })
  await vi.waitFor(() => expect(at.seen).toEqual({ text: 'abcdef', outcome: 'end' }), { timeout: 10_000 })
})
