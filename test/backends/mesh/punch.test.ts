import fc from 'fast-check'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { decodePlace, encodePlace, observe } from '../../../backends/mesh/punch/observe.ts'
import { PublisherPunch } from '../../../backends/mesh/punch/publisher-punch.ts'
import { punchTcp } from '../../../backends/mesh/punch/tcp-punch.ts'
import { encodeKey, generateIdentity, MeshNode, ProtocolError, silentLogger, systemClock } from '../../../core/index.ts'
import { ManualClock } from '../../core/tunnels/puppet-backend.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function relay() {
  const identity = generateIdentity()
  const node = new MeshNode({ identity, clock: systemClock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 } })
  open.push(() => node[Symbol.asyncDispose]())
  const { port = 0 } = (await node.listen()) ?? {}
  return { key: identity.publicKey, host: '127.0.0.1', port }
}

describe('what a node sees of others', () => {
  it('is told to them, and the local port stays theirs meanwhile', async () => {
    const signal = AbortSignal.timeout(10_000)
    using seen = await observe(await relay(), { logger: silentLogger, signal })
    expect(seen).toMatchObject({ host: '127.0.0.1', port: seen.localPort })
    // Another outgoing connection can be made from the same port, which is what punching needs.
    const server = createServer((socket) => void socket.on('error', () => {}).end('hello'))
    server.listen(0, '127.0.0.1')
    open.push(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const socket = await punchTcp({
      localPort: seen.localPort,
      host: '127.0.0.1',
      port: (server.address() as { port: number }).port,
      signal,
    })
    expect(socket.localPort).toBe(seen.localPort)
    socket.destroy()
  })

  it('is one place, or an error', () => {
    expect(decodePlace(encodePlace({ host: '::1', port: 7 }))).toEqual({ host: '::1', port: 7 })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            decodePlace(bytes)
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error
          }
        },
      ),
    )
  })
})

describe('a publisher that is asked for a direct connection', () => {
  const place = (host = '127.0.0.1'): string => `${host} 9`
  const ask = (relayKey: Uint8Array, where: string, peerKey = Buffer.alloc(32, 1)) => ({
    topic: 'link/punch',
    body: Buffer.from(`${encodeKey('node', relayKey)} ${where}`),
    peerKey,
  })

  it('says where its own relay sees it, and dials nobody else', async () => {
    const own = await relay()
    const stranger = generateIdentity().publicKey
    const punch = new PublisherPunch({
      relayAt: (id) => (id === encodeKey('node', own.key) ? own : undefined),
      accept: (socket) => void socket.destroy(),
      clock: new ManualClock(),
      logger: silentLogger,
    })
    open.push(() => punch[Symbol.dispose]())
    await expect(punch.answer(ask(stranger, place()))).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
    await expect(punch.answer(ask(own.key, 'nowhere'))).rejects.toBeInstanceOf(ProtocolError)
    await expect(punch.answer(ask(own.key, place('224.0.0.1')))).rejects.toBeInstanceOf(ProtocolError)
    expect(decodePlace(await punch.answer(ask(own.key, place())))).toMatchObject({ host: '127.0.0.1' })
  })

  it('is asked by one visitor every five seconds at most', async () => {
    const own = await relay()
    const clock = new ManualClock()
    const punch = new PublisherPunch({ relayAt: () => own, accept: (socket) => void socket.destroy(), clock, logger: silentLogger })
    open.push(() => punch[Symbol.dispose]())
    await punch.answer(ask(own.key, place()))
    await expect(punch.answer(ask(own.key, place()))).rejects.toMatchObject({ code: 'BEAM_ERR_RATE_LIMITED' })
    await punch.answer(ask(own.key, place(), Buffer.alloc(32, 2)))
    await clock.pass(5_001)
    await punch.answer(ask(own.key, place()))
  })
})
