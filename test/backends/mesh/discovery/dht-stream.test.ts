import { once } from 'node:events'
import { connect as connectHttp2, performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import type net from 'node:net'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DhtNode, dhtDiscovery } from '../../../../backends/mesh/discovery/index.ts'
import { generateIdentity, isBeamError, selfSignedCertificate, type Contact, type Discovery } from '../../../../core/index.ts'
import { startDhtTestnet, type DhtTestnet } from '../../../helpers/dht-testnet.ts'
import { all, announcementOf, soon, until } from './announcement.ts'

const MIB = 2 ** 20

let testnet: DhtTestnet
let nodes: DhtNode[]
let publisher: Discovery
let visitor: Discovery
let contact: Contact & { kind: 'stream' }
const arrived: Duplex[] = []

beforeAll(async () => {
  testnet = await startDhtTestnet(8)
  nodes = [new DhtNode({ bootstrap: testnet.bootstrap }), new DhtNode({ bootstrap: testnet.bootstrap })]
  ;[publisher, visitor] = nodes.map((node) => dhtDiscovery({ node })) as [Discovery, Discovery]
  contact = await announceStream((stream) => arrived.push(stream))
})
beforeEach(() => void arrived.splice(0))
afterAll(async () => {
  await Promise.all([publisher.close(), visitor.close()])
  await Promise.all(nodes.map((node) => node.close()))
  await testnet.close()
})

async function announceStream(onStream: (stream: Duplex) => void) {
  const announcement = announcementOf({ onStream })
  const announced = publisher.announce(announcement)
  await until(() => announced.state === 'announced')
  // The record is there first, the way to a stream a moment later.
  for (;;) {
    const contacts = (await all(visitor.find(announcement.serviceKey, soon()))).flatMap((found) => found.contacts)
    const [stream] = contacts
    if (contacts.length > 1) throw new Error('more than one stream was found')
    if (stream?.kind === 'stream') return stream
  }
}

/** The two ends of a new stream. */
async function pair(): Promise<{ near: Duplex; far: Duplex }> {
  const near = await contact.open({})
  await until(() => arrived.length === 1)
  return { near, far: arrived[0] as Duplex }
}

/** All that comes until the end. (`stream/consumers` would destroy the stream then, the other direction included.) */
function readAll(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.once('end', () => resolve(Buffer.concat(chunks)))
    stream.once('error', reject)
  })
}

const noise = (bytes: number): Buffer => Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 255))

describe('a hole-punched stream', () => {
  it('carries bytes unchanged, both ways at once', async () => {
    const { near, far } = await pair()
    const [there, back] = [noise(3 * MIB + 1), noise(2 * MIB + 3).reverse()]
    near.end(there)
    far.end(back)
    const [atFar, atNear] = await Promise.all([readAll(far), readAll(near)])
    expect(atFar.equals(there)).toBe(true)
    expect(atNear.equals(back)).toBe(true)
  })

  it.each(['near', 'far'] as const)('keeps the other direction open when the %s end has ended its own', async (first) => {
    const ends = await pair()
    const [early, late] = first === 'near' ? [ends.near, ends.far] : [ends.far, ends.near]
    early.end('the last word')
    expect((await readAll(late)).toString()).toBe('the last word')
    const answer = noise(MIB)
    late.end(answer)
    expect((await readAll(early)).equals(answer)).toBe(true)
    await until(() => early.closed && late.closed)
    expect([early.errored, late.errored]).toEqual([null, null])
  })

  it.each(['near', 'far'] as const)('tells a reset of the %s end from an end', async (which) => {
    const ends = await pair()
    const other = which === 'near' ? ends.far : ends.near
    ends[which].write('half a sentence')
    await once(other, 'data')
    const error = once(other, 'error')
    ends[which].destroy()
    expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' })
    expect(other.readableEnded).toBe(false)
  })

  it('is reset when the far end ended its own direction and then gave up', async () => {
    const { near, far } = await pair()
    near.end()
    await readAll(far)
    near.on('error', () => {})
    far.on('error', () => {})
    far.write('something')
    await once(near, 'data')
    far.destroy(new Error('gave up'))
    await until(() => near.closed)
    expect(near.errored).toMatchObject({ code: 'ECONNRESET' })
  })

  it('delivers what was written before its end, although it was destroyed right afterwards', async () => {
    const { near, far } = await pair()
    const sent = noise(2 * MIB)
    near.end(sent, () => near.destroy())
    expect((await readAll(far)).equals(sent)).toBe(true)
    far.end()
    await until(() => near.closed && far.closed)
    expect([near.errored, far.errored]).toEqual([null, null])
  })

  it('is cut off when the far end floods it while nobody reads', { timeout: 60_000 }, async () => {
    const { near, far } = await pair()
    near.on('error', () => {})
    const failed = once(far, 'error')
    const chunk = Buffer.alloc(MIB)
    for (let written = 0; written < 200 && !near.destroyed && !near.write(chunk); written++) {
      await until(() => !near.writableNeedDrain || near.destroyed || far.destroyed)
    }
    expect((await failed)[0]).toMatchObject({ kind: 'protocol' })
    expect(far.readableLength).toBeLessThan(34 * MIB)
    await until(() => near.destroyed)
  })

  it('carries mutual TLS 1.3 with HTTP/2 inside', async () => {
    const identities = [generateIdentity(), generateIdentity()] as const
    const options = { ALPNProtocols: ['h2'], minVersion: 'TLSv1.3', rejectUnauthorized: false } as const
    const { near, far } = await pair()
    const server = tls.createServer({ requestCert: true, ...options, ...selfSignedCertificate(identities[0]) }, (socket) => {
      performServerHandshake(socket).on('stream', (stream: ServerHttp2Stream) => {
        stream.respond({ ':status': 200 })
        stream.pipe(stream)
      })
    })
    server.emit('connection', far)
    const outer = tls.connect({ socket: near as net.Socket, ...options, ...selfSignedCertificate(identities[1]) })
    await once(outer, 'secureConnect')
    expect(outer.getProtocol()).toBe('TLSv1.3')
    const session = connectHttp2('http://localhost', { createConnection: () => outer })
    const bodies = await Promise.all(
      [1, 2, 3, 4].map((n) => {
        const request = session.request({ ':method': 'POST' })
        request.end(noise((n * MIB) / 4))
        return readAll(request)
      }),
    )
    expect(bodies.map((body, i) => body.equals(noise(((i + 1) * MIB) / 4)))).toEqual([true, true, true, true])
    session.close()
    await until(() => near.closed && far.closed)
  })
})

describe('opening one', () => {
  it('is refused where nobody listens', async () => {
    const gone = await announceStream((stream) => stream.destroy())
    await publisher.close()
    const error = await gone.open({}).catch((reason: unknown) => reason)
    expect(isBeamError(error) && error.kind).toBe('unreachable')
  })

  it('is given up when the signal fires', async () => {
    const stop = new AbortController()
    const opening = contact.open({ signal: stop.signal })
    stop.abort(new Error('not wanted any more'))
    await expect(opening).rejects.toThrow('not wanted any more')
    await expect(contact.open({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late')
  })
})
