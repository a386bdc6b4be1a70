import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { generateIdentity, MeshNode, silentLogger, systemClock, type MeshNodeOptions } from '../../../../core/index.ts'
import { dialLink } from '../../../../core/link/index.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function node(
  options: Partial<MeshNodeOptions> = {},
): Promise<{ node: MeshNode; key: Uint8Array; at: { host: string; port: number } }> {
  const identity = options.identity ?? generateIdentity()
  const made = new MeshNode({ identity, clock: systemClock, logger: silentLogger, listen: { host: '127.0.0.1', port: 0 }, ...options })
  open.push(() => made[Symbol.asyncDispose]())
  const { port = 0 } = (await made.listen()) ?? {}
  return { node: made, key: identity.publicKey, at: { host: '127.0.0.1', port } }
}

describe('two nodes', () => {
  it('can ask each other, whoever dialled', async () => {
    const [a, b] = [await node(), await node()]
    a.node.serve('name', () => Buffer.from('a'))
    b.node.serve('name', (body, { key }) => Buffer.concat([Buffer.from('b'), body, key]))
    const peer = await a.node.connect(b.at, b.key)
    expect(peer.direction).toBe('out')
    expect(await peer.ask('name', Buffer.from('?'))).toEqual(Buffer.concat([Buffer.from('b?'), a.key]))
    await expect.poll(() => b.node.peers.length).toBe(1)
    const back = b.node.peers[0]
    expect(back).toMatchObject({ direction: 'in', id: a.node.id })
    expect((await back?.ask('name', Buffer.alloc(0)))?.toString()).toBe('a')
    expect(back?.latencyMs).toBeGreaterThan(0)
  })

  it('keep one link, however often and from both sides at once they dial', async () => {
    const [a, b] = [await node(), await node()]
    const changes: string[] = []
    a.node.onPeer(({ what }) => changes.push(what))
    await Promise.allSettled([
      a.node.connect(b.at, b.key),
      b.node.connect(a.at, a.key),
      a.node.connect(b.at, b.key),
      b.node.connect(a.at, a.key),
    ])
    const settled = (): boolean => a.node.peers.length === 1 && b.node.peers.length === 1
    await expect.poll(settled).toBe(true)
    a.node.serve('x', () => Buffer.from('a'))
    b.node.serve('x', () => Buffer.from('b'))
    await expect.poll(async () => (await a.node.peers[0]?.ask('x', Buffer.alloc(0)))?.toString()).toBe('b')
    await expect.poll(async () => (await b.node.peers[0]?.ask('x', Buffer.alloc(0)))?.toString()).toBe('a')
    expect(new Set([a.node.peers[0]?.direction, b.node.peers[0]?.direction])).toEqual(new Set(['in', 'out']))
    expect(changes.filter((what) => what === 'up').length - changes.filter((what) => what === 'down').length).toBe(1)
  })

  it('notice that the other was restarted: what it held is gone with the link before', async () => {
    const [a, identity] = [await node(), generateIdentity()]
    const changes: string[] = []
    a.node.onPeer(({ what }) => changes.push(what))
    const before = await node({ identity })
    await before.node.connect(a.at, a.key)
    await expect.poll(() => changes).toEqual(['up'])
    // The same node again, from elsewhere, while the link of its former life still seems to stand.
    const again = await node({ identity })
    await again.node.connect(a.at, a.key)
    await expect.poll(() => changes).toEqual(['up', 'down', 'up'])
    expect(a.node.peers).toHaveLength(1)
  })

  it('notice at once when the other goes', async () => {
    const [a, b] = [await node(), await node()]
    const gone = new Promise<string>((resolve) => a.node.onPeer(({ what, peer }) => what === 'down' && resolve(peer.id)))
    await a.node.connect(b.at, b.key)
    await b.node[Symbol.asyncDispose]()
    expect(await gone).toBe(b.node.id)
    expect(a.node.peers).toEqual([])
  })

  it('meet again when one was restarted before the other noticed', async () => {
    const identity = generateIdentity()
    const b = await node()
    // A road between them that stays open when the traveller has gone.
    const road = createServer((socket) => {
      const on = createConnection(b.at.port, '127.0.0.1')
      socket.on('data', (data) => on.write(data)).on('error', () => {})
      on.on('data', (data) => socket.write(data)).on('error', () => {})
    })
    road.listen(0, '127.0.0.1')
    await once(road, 'listening')
    open.push(() => road.close())
    const { port } = road.address() as { port: number }
    const first = await node({ identity })
    await first.node.connect({ host: '127.0.0.1', port }, b.key)
    await expect.poll(() => b.node.peers.length).toBe(1)
    const before = b.node.peers[0]
    const second = await node({ identity })
    second.node.serve('who', () => Buffer.from('second'))
    await second.node.connect(b.at, b.key)
    await expect.poll(() => b.node.peers[0] === before).toBe(false)
    expect((await b.node.peers[0]?.ask('who', Buffer.alloc(0)))?.toString()).toBe('second')
  })
})

describe('a node', () => {
  it('does not link to itself', async () => {
    const a = await node()
    const peer = await a.node.connect(a.at, a.key)
    await expect.poll(() => peer.usable).toBe(false)
    expect(a.node.peers).toEqual([])
  })

  it('takes a bounded number of peers', async () => {
    const hub = await node({ maxPeers: 2 })
    const others = await Promise.all(Array.from({ length: 4 }, () => node()))
    await Promise.allSettled(others.map((other) => other.node.connect(hub.at, hub.key)))
    await expect.poll(() => others.filter(({ node: { peers } }) => peers.length === 1).length).toBe(2)
    expect(hub.node.peers).toHaveLength(2)
  })

  it('does not take a visitor who offers nothing for a peer, and answers it all the same', async () => {
    const a = await node()
    a.node.serve('time', () => Buffer.from('now'))
    const { link } = await dialLink({ to: a.at, expectedKey: a.key, identity: generateIdentity(), logger: silentLogger })
    open.push(() => link.close())
    expect((await link.ask('time', Buffer.alloc(0))).toString()).toBe('now')
    await expect(link.ask('other', Buffer.alloc(0))).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
    expect(a.node.peers).toEqual([])
  })

  it('refuses streams unless somebody carries them', async () => {
    const [a, b] = [await node(), await node()]
    const peer = await a.node.connect(b.at, b.key)
    const refused = peer.openStream('someone')
    const [error] = (await once(refused, 'error')) as [{ code: string }]
    expect(error.code).toBe('BEAM_ERR_NOT_FOUND')
    b.node.carry({ judge: () => undefined, take: (stream, from) => void stream.end(from) })
    const carried = peer.openStream('someone')
    carried.end()
    const chunks: Buffer[] = []
    for await (const chunk of carried) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(a.key))
  })

  it('that is never dialled can be asked all the same', async () => {
    const hidden = await node({ listen: undefined } as never)
    const b = await node()
    hidden.node.serve('x', () => Buffer.from('hidden'))
    await hidden.node.connect(b.at, b.key)
    await expect.poll(() => b.node.peers.length).toBe(1)
    expect((await b.node.peers[0]?.ask('x', Buffer.alloc(0)))?.toString()).toBe('hidden')
  })
})
