import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { decodeReservation, encodeRequest, generateIdentity, proveService, RESERVE_TOPIC, silentLogger } from '../../../../core/index.ts'
import { dialLink, type LinkStream } from '../../../../core/link/index.ts'
import { closeAll, nodeOf, open, reserve, serviceAt, visit, type Node } from './scene.ts'

afterEach(closeAll)

async function read(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const echo = (stream: LinkStream): void => void stream.pipe(stream)

describe('a relay', () => {
  it('leads to a service that reserved, and its node says for how long', async () => {
    const [relay, publisher] = [await nodeOf({}), await nodeOf()]
    const service = serviceAt(publisher, echo)
    const granted = decodeReservation(await reserve(publisher, relay, [service]))
    expect(granted.expiresAt).toBeGreaterThan(Date.now())
    const stream = await visit([relay], service)
    stream.end('through the relay')
    expect((await read(stream)).toString()).toBe('through the relay')
    expect(relay.relay?.figures).toMatchObject({ streams: 1, openStreams: 1, peersHelped: 1, reservations: 1 })
    // The visitor's link ends, and with it what carried it.
    await open.pop()?.()
    await expect.poll(() => relay.relay?.figures.openStreams).toBe(0)
    expect(relay.relay?.figures.bytes).toBeGreaterThan(17)
  })

  it('leads there again when the node comes back after its link broke, and lets others have the place meanwhile', async () => {
    const [relay, publisher, late] = [await nodeOf({ reservations: 1 }), await nodeOf(), await nodeOf()]
    const service = serviceAt(publisher, echo)
    await reserve(publisher, relay, [service])
    relay.node.peer(publisher.node.id)?.close('a test cuts it')
    await expect.poll(() => publisher.node.peer(relay.node.id)).toBeUndefined()
    expect(relay.relay?.figures.reservations).toBe(0)
    await publisher.node.connect(relay.contact, relay.key)
    await expect.poll(() => relay.relay?.figures.reservations).toBe(1)
    const stream = await visit([relay], service)
    stream.end('as before')
    expect((await read(stream)).toString()).toBe('as before')

    relay.node.peer(publisher.node.id)?.close('a test cuts it')
    await expect.poll(() => relay.node.peer(publisher.node.id)).toBeUndefined()
    await reserve(late, relay, [serviceAt(late, echo)])
    expect(relay.relay?.figures.reservations).toBe(1)
  })

  it('may be followed by others: two and three on the way', async () => {
    const relays = [await nodeOf({}), await nodeOf({}), await nodeOf({})] as const
    const publisher = await nodeOf()
    const service = serviceAt(publisher, echo)
    await relays[0].node.connect(relays[1].contact, relays[1].key)
    await relays[1].node.connect(relays[2].contact, relays[2].key)
    for (const path of [relays.slice(0, 2), relays]) {
      await reserve(publisher, path.at(-1) as Node, [service])
      const stream = await visit(path, service)
      stream.end(Buffer.alloc(300_000, path.length))
      expect((await read(stream)).equals(Buffer.alloc(300_000, path.length))).toBe(true)
    }
  })

  it('reads nothing: the bytes that it carries hold none of what is said', async () => {
    const carried: Buffer[] = []
    const [relay, publisher] = [await nodeOf({}), await nodeOf()]
    const service = serviceAt(publisher, echo)
    await reserve(publisher, relay, [service])
    const peer = relay.node.peer(publisher.node.id)
    const openStream = peer?.openStream.bind(peer)
    Object.assign(peer as object, {
      openStream: (authority: string) => {
        const stream = openStream?.(authority) as LinkStream
        const write = stream.write.bind(stream)
        stream.write = ((chunk: Buffer, ...rest: never[]) => {
          carried.push(Buffer.from(chunk))
          return write(chunk, ...rest)
        }) as typeof stream.write
        return stream
      },
    })
    const stream = await visit([relay], service)
    stream.end('a secret that the relay must not read')
    await read(stream)
    expect(Buffer.concat(carried).length).toBeGreaterThan(100)
    expect(Buffer.concat(carried).includes('secret')).toBe(false)
  })

  it('passes a reset on as a reset, and an end as an end', async () => {
    const [relay, publisher] = [await nodeOf({}), await nodeOf()]
    const service = serviceAt(publisher, (stream) => void stream.once('data', () => stream.destroy(new Error('no'))))
    await reserve(publisher, relay, [service])
    const stream = await visit([relay], service)
    stream.write('x')
    const [error] = (await once(stream, 'error')) as [{ code: string }]
    expect(error.code).toBe('BEAM_ERR_STREAM_RESET')
    expect(stream.readableEnded).toBe(false)
  })
})

describe('a relay refuses', () => {
  const refused = async (work: Promise<unknown>): Promise<string | undefined> =>
    work.then(
      () => 'nothing',
      (error: { code?: string; cause?: { code?: string } }) => error.code,
    )

  it('what nobody reserved', async () => {
    const relay = await nodeOf({})
    expect(await refused(visit([relay], generateIdentity()))).toBe('BEAM_ERR_NOT_FOUND')
    expect(relay.relay?.figures.refused).toBe(1)
  })

  it('a service that its holder did not sign for this node, this relay', async () => {
    const [relay, other, thief] = [await nodeOf({}), await nodeOf({}), await nodeOf()]
    const service = generateIdentity()
    const peer = await thief.node.connect(relay.contact, relay.key)
    await expect.poll(() => relay.node.peer(thief.node.id)).toBeDefined()
    const until = Date.now() + 60_000
    const stolen = [
      proveService(service, { relay: other.key, node: thief.key, until }),
      proveService(service, { relay: relay.key, node: other.key, until }),
      { ...proveService(service, { relay: relay.key, node: thief.key, until }), until: until + 1 },
    ]
    for (const proof of stolen) expect(await refused(peer.ask(RESERVE_TOPIC, encodeRequest([proof])))).toBe('BEAM_ERR_ACCESS_DENIED')
  })

  it('more streams of one peer, more nodes, and more bytes than it may', async () => {
    const [relay, publisher, late] = [
      await nodeOf({ reservations: 1, bytesPerDayPerPeer: 200_000, streamsPerPeer: 2 }),
      await nodeOf(),
      await nodeOf(),
    ]
    const service = serviceAt(publisher, echo)
    await reserve(publisher, relay, [service])
    expect(await refused(reserve(late, relay, [serviceAt(late, echo)]))).toBe('BEAM_ERR_RATE_LIMITED')
    const { link } = await dialLink({ to: relay.contact, expectedKey: relay.key, identity: generateIdentity(), logger: silentLogger })
    open.push(() => link.close())
    const { encodeKey } = await import('../../../../core/identity/address.ts')
    const authority = encodeKey('service', service.publicKey)
    const streams = [link.openStream(authority), link.openStream(authority)]
    await expect.poll(() => relay.relay?.figures.openStreams).toBe(2)
    const third = link.openStream(authority)
    expect(((await once(third, 'error')) as [{ code: string; message: string }])[0]).toMatchObject({ code: 'BEAM_ERR_RATE_LIMITED' })
    for (const stream of streams) stream.destroy()
    await expect.poll(() => relay.relay?.figures.openStreams).toBe(0)
    const greedy = link.openStream(authority)
    greedy.on('error', () => {})
    greedy.write(Buffer.alloc(250_000))
    await expect.poll(() => relay.relay?.figures.bytes).toBeGreaterThan(200_000)
    greedy.destroy()
    const after = link.openStream(authority)
    expect(((await once(after, 'error')) as [{ message: string }])[0].message).toContain('used up')
  })
})

it('a relay holds its peers to their bandwidth', async () => {
  const [relay, publisher] = [await nodeOf({ bytesPerSecondPerPeer: 1 << 20, bytesPerSecond: 64 << 20 }), await nodeOf()]
  const service = serviceAt(publisher, (stream) => {
    stream.resume()
    stream.once('end', () => stream.end('done'))
  })
  await reserve(publisher, relay, [service])
  const stream = await visit([relay], service)
  const start = performance.now()
  // The first MiB is the burst; two more take two seconds at one MiB a second.
  stream.end(Buffer.alloc(3 << 20))
  expect((await read(stream)).toString()).toBe('done')
  expect(performance.now() - start).toBeGreaterThan(1_500)
})
