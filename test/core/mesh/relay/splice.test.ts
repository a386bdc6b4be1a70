import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { encodeKey, generateIdentity, silentLogger, UnreachableError, type RelayLimits } from '../../../../core/index.ts'
import { MAX_DOOR_TOKENS } from '../../../../core/link/constants.ts'
import { dialLink, LinkListener, newSideToken, SideDoor, type Link, type LinkStream } from '../../../../core/link/index.ts'
import type { Peer } from '../../../../core/mesh/node/peer.ts'
import type { TopicHandler } from '../../../../core/mesh/node/topics.ts'
import { meet } from '../../../../core/mesh/relay/meet.ts'
import {
  decodeMeeting,
  decodeSplice,
  decodeToken,
  encodeMeeting,
  encodeSplice,
  encodeToken,
  MEET_TOPIC,
  SPLICE_TOPIC,
} from '../../../../core/mesh/relay/meeting.ts'
import { closeAll, nodeOf, open, reserve, serviceAt, visit, visitLink, type Node } from './scene.ts'

afterEach(closeAll)

const MIB = 1 << 20
/** The test waits for nothing but what it tests. */
const FAST = { bytesPerSecond: 1 << 30, bytesPerSecondPerPeer: 1 << 30 }
const echo = (stream: LinkStream): void => void stream.pipe(stream)
const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** Relays in a row, each linked with the next, and a service at the last. */
async function row(
  count: number,
  handle: (stream: LinkStream) => void,
  limits: Partial<RelayLimits> = {},
): Promise<{ relays: Node[]; publisher: Node; service: ReturnType<typeof serviceAt> }> {
  const relays: Node[] = []
  for (let index = 0; index < count; index++) relays.push(await nodeOf({ ...FAST, ...limits }))
  for (const [index, relay] of relays.slice(1).entries()) {
    const before = relays[index] as Node
    // By turns, so that in either direction the one that dialled the link dials again.
    if (index % 2 === 0) await before.node.connect(relay.contact, relay.key)
    else await relay.node.connect(before.contact, before.key)
    await expect.poll(() => before.node.peer(relay.node.id) !== undefined && relay.node.peer(before.node.id) !== undefined).toBe(true)
  }
  const publisher = await nodeOf()
  const service = serviceAt(publisher, handle)
  await reserve(publisher, relays.at(-1) as Node, [service])
  return { relays, publisher, service }
}

function* cut(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

/** Sends and receives at the same time, reading slowly at first; the hash of what came back. */
async function exchange(stream: LinkStream, bytes: Buffer): Promise<string> {
  const hash = createHash('sha256')
  Readable.from(cut(bytes)).pipe(stream)
  let slow = 20
  for await (const chunk of stream) {
    hash.update(chunk as Buffer)
    if (slow-- > 0) await wait(5)
  }
  return hash.digest('hex')
}

const heavy = async (link: Link): Promise<LinkStream> => {
  const stream = link.openStream('service')
  stream.write(Buffer.alloc(2 * MIB, 'h'))
  stream.resume()
  await expect.poll(() => stream.hasPipe, { timeout: 5_000 }).toBe(true)
  return stream
}

describe('a heavy stream through relays has connections of its own', () => {
  it.each([1, 2, 3])(
    'through %i, byte-exact both ways at once, with slow readers',
    async (hops) => {
      const { relays, service } = await row(hops, echo)
      const link = await visitLink(relays, service)
      const bytes = randomBytes(24 * MIB)
      const [first, second] = [link.openStream('service'), link.openStream('service')]
      const hashes = await Promise.all([exchange(first, bytes), exchange(second, bytes)])
      expect(hashes).toEqual([sha(bytes), sha(bytes)])
      expect([first.hasPipe, second.hasPipe]).toEqual([true, true])
      // Each relay copied what went on there, and counted it.
      for (const { relay } of relays) expect(relay?.figures.bytes).toBeGreaterThan(2 * 2 * bytes.length)
      link.close()
      for (const { relay } of relays) await expect.poll(() => relay?.figures.openStreams, { timeout: 8_000 }).toBe(0)
    },
    40_000,
  )

  it('passes a reset of either end on as a reset', async () => {
    let there: LinkStream | undefined
    const { relays, service } = await row(1, (stream) => echo((there = stream)))
    const link = await visitLink(relays, service)
    const stream = await heavy(link)
    there?.destroy(new Error('no more'))
    expect(((await once(stream, 'error')) as [{ code: string }])[0].code).toBe('BEAM_ERR_STREAM_RESET')
    const other = await heavy(link)
    other.destroy(new Error('no more'))
    await expect.poll(() => there?.destroyed).toBe(true)
    expect(there?.readableEnded).toBe(false)
    // What is left is the carrier of the link itself.
    await expect.poll(() => relays[0]?.relay?.figures.openStreams).toBe(1)
  })

  it('breaks when the relay ends in the middle, and is never taken for whole', async () => {
    const { relays, service } = await row(1, (stream) => void stream.on('data', () => stream.write(Buffer.alloc(MIB))))
    const stream = await heavy(await visitLink(relays, service))
    const failed = once(stream, 'error') as Promise<[{ code: string }]>
    relays[0]?.relay?.[Symbol.dispose]()
    expect((await failed)[0].code).toBe('BEAM_ERR_STREAM_RESET')
    expect(stream.readableEnded).toBe(false)
  })

  it('is broken off when the day’s bytes are used up', async () => {
    const { relays, service } = await row(1, (stream) => void stream.resume(), { bytesPerDayPerPeer: 8 * MIB })
    const link = await visitLink(relays, service)
    const stream = await heavy(link)
    const failed = once(stream, 'error')
    stream.write(Buffer.alloc(24 * MIB))
    await failed
    // A little more than allowed came through, and no more.
    await wait(100)
    expect(relays[0]?.relay?.figures.bytes).toBeLessThan(12 * MIB)
  })
})

describe('the link carries a heavy stream on where there is no such way', () => {
  const unknown = (): Promise<Uint8Array> =>
    Promise.reject(new UnreachableError('This node does not serve that.', { code: 'BEAM_ERR_NOT_FOUND', retry: 'never' }))

  it.each<[string, Record<string, TopicHandler>, Record<string, TopicHandler>]>([
    ['a relay of before', { [SPLICE_TOPIC]: unknown }, {}],
    ['a publisher of before', {}, { [MEET_TOPIC]: unknown }],
    ['a publisher that never answers', {}, { [MEET_TOPIC]: () => new Promise(() => {}) }],
    ['a publisher that answers and never comes', {}, { [MEET_TOPIC]: () => new Uint8Array() }],
    ['a relay that gives a token for nothing', { [SPLICE_TOPIC]: () => encodeToken(newSideToken()) }, {}],
    ['a relay that answers nonsense', { [SPLICE_TOPIC]: () => Buffer.from('nonsense') }, {}],
  ])(
    '%s',
    async (_what, ofRelay, ofPublisher) => {
      const [relay, publisher] = [await nodeOf(FAST, ofRelay), await nodeOf(undefined, ofPublisher)]
      const service = serviceAt(publisher, echo)
      await reserve(publisher, relay, [service])
      const stream = await visit([relay], service)
      const bytes = randomBytes(6 * MIB)
      expect(await exchange(stream, bytes)).toBe(sha(bytes))
      expect(stream.hasPipe).toBe(false)
      await expect.poll(() => relay.node.door.waiting, { timeout: 8_000 }).toBe(0)
      await expect.poll(() => relay.relay?.figures.openStreams).toBe(1)
    },
    20_000,
  )
})

it('a relay that takes the connection and does nothing delays nobody', async () => {
  let taken = 0
  const answer = (): Uint8Array =>
    encodeToken(relay.node.door.expect({ owner: 'nobody', take: (connection) => void (open.push(() => connection.destroy()), taken++) }))
  const relay: Node = await nodeOf(FAST, { [SPLICE_TOPIC]: answer })
  const publisher = await nodeOf()
  const service = serviceAt(publisher, echo)
  await reserve(publisher, relay, [service])
  const bytes = randomBytes(6 * MIB)
  expect(await exchange(await visit([relay], service), bytes)).toBe(sha(bytes))
  await expect.poll(() => taken).toBe(1)
})

it('a peer that cannot be dialled again is told apart from one that can', async () => {
  const door = new SideDoor()
  const peer = { id: 'peer', contact: { host: '127.0.0.1', port: 1 }, ask: () => Promise.resolve(Buffer.alloc(0)) } as unknown as Peer
  await expect(meet(peer, 'service', door)).rejects.toMatchObject({ kind: 'unreachable' })
  expect(door.waiting).toBe(0)
})

describe('a side connection', () => {
  const link = async (relay: Node): Promise<Link> => {
    const dialled = await dialLink({ to: relay.contact, expectedKey: relay.key, identity: generateIdentity(), logger: silentLogger })
    open.push(() => dialled.link.close())
    return dialled.link
  }
  /** What a connection that begins with these bytes gets within a while, and whether it is closed then. */
  const knock = async (port: number, bytes: Uint8Array, patienceMs = 10_000): Promise<{ got: string; closed: boolean }> => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => {})
    const got: Buffer[] = []
    socket.on('data', (chunk: Buffer) => got.push(chunk))
    socket.write(bytes)
    await Promise.race([once(socket, 'close'), wait(patienceMs)])
    const { closed } = socket
    socket.destroy()
    return { got: Buffer.concat(got).toString('hex'), closed }
  }

  it('is entered once: a token that was used, or never given, is answered as TLS answers nonsense', async () => {
    const { relays, service } = await row(1, echo)
    const [relay] = relays as [Node]
    const token = decodeToken(await (await link(relay)).ask(SPLICE_TOPIC, encodeSplice(encodeKey('service', service.publicKey))))
    const plain = new LinkListener({
      host: '127.0.0.1',
      identity: generateIdentity(),
      logger: silentLogger,
      judge: () => undefined,
      onStream: echo,
    })
    open.push(() => plain[Symbol.asyncDispose]())
    const stranger = await knock((await plain.listen()).port, newSideToken())
    expect(stranger.closed).toBe(true)
    const { port } = relay.contact
    expect(await knock(port, newSideToken())).toEqual(stranger)
    expect((await knock(port, token, 500)).closed).toBe(false)
    await expect.poll(() => relay.relay?.figures.openStreams).toBe(0)
    expect(await knock(port, token)).toEqual(stranger)
  })

  it('carries side channels and no link: the service would take the relay for the visitor', async () => {
    const { relays, service } = await row(1, echo)
    const [relay] = relays as [Node]
    const token = decodeToken(await (await link(relay)).ask(SPLICE_TOPIC, encodeSplice(encodeKey('service', service.publicKey))))
    const socket = connect(relay.contact)
    socket.write(token)
    await expect(
      dialLink({ to: socket, expectedKey: service.publicKey, identity: generateIdentity(), logger: silentLogger }),
    ).rejects.toThrow()
  })

  it('is refused to those who have many outstanding; a thousand that nobody uses go, and honest ones are served meanwhile', async () => {
    const { relays, service } = await row(1, echo, { streams: 600, streamsPerPeer: 64 })
    const [relay] = relays as [Node]
    const authority = encodeSplice(encodeKey('service', service.publicKey))
    const greedy = await Promise.all(Array.from({ length: 16 }, () => link(relay)))
    // A visitor's own come in between.
    const honest = await visitLink(relays, service)
    const asked = greedy.flatMap((one) => Array.from({ length: 64 }, () => one.ask(SPLICE_TOPIC, authority)))
    const granted = (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled').length
    expect(granted).toBeLessThan(16 * 64)
    expect(relay.node.door.waiting).toBeLessThanOrEqual(MAX_DOOR_TOKENS)
    const bytes = randomBytes(4 * MIB)
    expect(await exchange(honest.openStream('service'), bytes)).toBe(sha(bytes))
    await expect.poll(() => relay.node.door.waiting, { timeout: 25_000 }).toBe(0)
    await expect.poll(() => relay.relay?.figures.openStreams, { timeout: 8_000 }).toBeLessThanOrEqual(2)
    expect((await heavy(honest)).hasPipe).toBe(true)
  }, 60_000)

  it('is asked for by peers only, for what is here, and in the form that it has', async () => {
    const { relays, publisher, service } = await row(1, echo)
    const [relay] = relays as [Node]
    const stranger = await link(publisher)
    const meeting = (authority: string, dialler: 'relay' | 'node'): Uint8Array =>
      encodeMeeting({ token: newSideToken(), authority, dialler })
    const here = encodeKey('service', service.publicKey)
    await expect(stranger.ask(MEET_TOPIC, meeting(here, 'relay'))).rejects.toMatchObject({ code: 'BEAM_ERR_ACCESS_DENIED' })
    const peer = relay.node.peer(publisher.node.id)
    await expect(peer?.ask(MEET_TOPIC, meeting('elsewhere', 'node'))).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
    // It dialled the relay, and not the other way round: it has nowhere to dial.
    await expect(publisher.node.peer(relay.node.id)?.ask(MEET_TOPIC, meeting(relay.node.id, 'node'))).rejects.toMatchObject({
      code: 'BEAM_ERR_NOT_FOUND',
    })
    await expect(peer?.ask(MEET_TOPIC, Buffer.from('nonsense'))).rejects.toMatchObject({ code: 'BEAM_ERR_LINK_PROTOCOL' })
    await expect((await link(relay)).ask(SPLICE_TOPIC, encodeSplice('elsewhere'))).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
  })
})

it('decoders of these requests take nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      for (const decode of [decodeSplice, decodeToken, decodeMeeting]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'BEAM_ERR_LINK_PROTOCOL' })
        }
      }
    }),
  )
  const token = newSideToken()
  expect(decodeToken(encodeToken(token))).toEqual(token)
  for (const wrong of [Buffer.alloc(19, 1), Buffer.alloc(20, 0x16)]) expect(() => decodeToken(encodeToken(wrong))).toThrow()
  expect(() => decodeSplice(encodeSplice('x'.repeat(65)))).toThrow()
})
