import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { generateIdentity, MeshNode, silentLogger, systemClock } from '../../../../core/index.ts'
import { HANDSHAKE_TIMEOUT_MS } from '../../../../core/link/constants.ts'
import { dialLink, type Link } from '../../../../core/link/index.ts'
import { rawTls } from '../../link/raw-visitor.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function node(maxPeers = 8): Promise<{ readonly node: MeshNode; readonly key: Uint8Array; readonly port: number }> {
  const identity = generateIdentity()
  const made = new MeshNode({
    identity,
    clock: systemClock,
    logger: silentLogger,
    listen: { host: '127.0.0.1', port: 0 },
    maxPeers,
  })
  open.push(() => made[Symbol.asyncDispose]())
  made.serve('name', () => Buffer.from('here'))
  const { port = 0 } = (await made.listen()) ?? {}
  return { node: made, key: identity.publicKey, port }
}

/** A node with an honest peer, and whether the two still understand each other, in both directions. */
async function withPeer(maxPeers?: number) {
  const [own, other] = [await node(maxPeers), await node()]
  const peer = await other.node.connect({ host: '127.0.0.1', port: own.port }, own.key)
  await expect.poll(() => own.node.peers.length).toBe(1)
  const understood = async (): Promise<void> => {
    expect((await peer.ask('name', Buffer.alloc(0))).toString()).toBe('here')
    expect((await own.node.peers[0]?.ask('name', Buffer.alloc(0)))?.toString()).toBe('here')
  }
  return { own, understood }
}

const REQUEST = 'GET /beam/hello HTTP/1.1\r\nHost: node\r\nConnection: keep-alive\r\n\r\n'

/** Whether the far end has ended a connection; its own end is closed then. */
async function ended(socket: Socket): Promise<void> {
  socket.on('error', () => {}).resume()
  if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS * 2) })
}

describe('a node', () => {
  it('ends connections that speak HTTP/1, with and without TLS, and its peers notice nothing', { timeout: 60_000 }, async () => {
    const { own, understood } = await withPeer()
    const plain = connect(own.port, '127.0.0.1')
    plain.write(REQUEST)
    // The one offers HTTP/1, the other says that it will speak HTTP/2; a third offers nothing and so would be a side channel of a link.
    const secure = await Promise.all(
      [['http/1.1'], ['h2'], []].map((offered) => rawTls(own.port, generateIdentity(), offered).catch(() => undefined)),
    )
    const sockets = [plain, ...secure.flatMap((socket) => socket ?? [])]
    for (const socket of sockets) open.push(() => socket.destroy())
    for (const socket of secure) socket?.write(REQUEST)
    await understood()
    await Promise.all(sockets.map(ended))
    expect(own.node.peers).toHaveLength(1)
    await understood()
  })

  it('holds a bounded number of strangers who link and say nothing, and none of its peers goes for them', { timeout: 60_000 }, async () => {
    const maxPeers = 4
    const { own, understood } = await withPeer(maxPeers)
    const strangers: Link[] = []
    open.push(() => strangers.forEach((link) => link.close()))
    // Some more than the 256 that a node has room for beside its peers.
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(
        Array.from({ length: 30 }, async () => {
          const to = { host: '127.0.0.1', port: own.port }
          strangers.push((await dialLink({ to, expectedKey: own.key, identity: generateIdentity(), logger: silentLogger })).link)
        }),
      )
    }
    await expect.poll(() => strangers.filter((link) => link.usable).length, { timeout: 10_000 }).toBeLessThanOrEqual(256 + maxPeers)
    await understood()
    const another = await node()
    await another.node.connect({ host: '127.0.0.1', port: own.port }, own.key)
    await expect.poll(() => own.node.peers.length).toBe(2)
    await understood()
  })

  it('refuses a peer’s flood of requests beyond what it answers at a time, and answers the others', { timeout: 60_000 }, async () => {
    const { own, understood } = await withPeer()
    let waiting = 0
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    own.node.serve('slow', async () => {
      waiting++
      await gate
      return Buffer.alloc(0)
    })
    const flooder = await node()
    const flood = await flooder.node.connect({ host: '127.0.0.1', port: own.port }, own.key)
    let refused = 0
    const asked = Array.from({ length: 500 }, () => flood.ask('slow', Buffer.alloc(0)).catch(() => refused++))
    await expect.poll(() => refused, { timeout: 20_000 }).toBe(500 - 32)
    expect(waiting).toBe(32)
    await understood()
    go()
    await Promise.all(asked)
    expect(waiting).toBe(32)
    await understood()
  })
})
