import { describe, expect, it } from 'vitest'
import { MemoryBackend, MemoryNetwork, testnet } from '../../../core/testing/index.ts'

class Node implements AsyncDisposable {
  readonly index: number
  state: 'made' | 'up' | 'down' = 'made'
  constructor(index: number) {
    this.index = index
  }
  async initialize(): Promise<void> {
    if (this.index === 99) throw new Error('node 99 does not start')
    this.state = 'up'
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.state = 'down'
  }
}

describe('testnet', () => {
  it('starts the first node before the others, which are told of it', async () => {
    const seen: number[] = []
    await using net = await testnet(5, (index, up: readonly Node[]) => {
      seen.push(up.length)
      return new Node(index)
    })
    expect(seen[0]).toBe(0)
    expect(Math.min(...seen.slice(1))).toBeGreaterThan(0)
    expect(net.nodes.map(({ index, state }) => [index, state])).toEqual([0, 1, 2, 3, 4].map((index) => [index, 'up']))
  })

  it('ends every node when it is disposed of', async () => {
    const made: Node[] = []
    const net = await testnet(12, (index) => (made[index] = new Node(index)))
    await net[Symbol.asyncDispose]()
    expect(made.map(({ state }) => state)).toEqual(Array.from({ length: 12 }, () => 'down'))
    expect(net.nodes).toEqual([])
  })

  it('kills a share, the same ones for the same seed, and grows again', async () => {
    const survivors = async (seed: number): Promise<number[]> => {
      await using net = await testnet(20, (index) => new Node(index))
      const all = [...net.nodes]
      expect(await net.kill(0.25, { seed })).toBe(5)
      expect(all.filter(({ state }) => state === 'down')).toHaveLength(5)
      return net.nodes.map(({ index }) => index)
    }
    expect(await survivors(7)).toEqual(await survivors(7))
    expect(await survivors(7)).not.toEqual(await survivors(8))

    await using net = await testnet(3, (index) => new Node(index))
    await net.kill(1)
    await net.grow(2)
    expect(net.nodes.map(({ index }) => index)).toEqual([3, 4])
  })

  it('leaves nothing behind when a node does not start', async () => {
    const made: Node[] = []
    await expect(testnet(100, (index) => (made[index] = new Node(index)))).rejects.toThrow('node 99')
    expect(made.filter(({ state }) => state === 'up')).toEqual([])
    expect(made).toHaveLength(100)
  })

  it('is bounded', async () => {
    await expect(testnet(257, (index) => new Node(index))).rejects.toThrow(RangeError)
    await expect(testnet(-1, (index) => new Node(index))).rejects.toThrow(RangeError)
    await using net = await testnet(0, (index) => new Node(index))
    await expect(net.kill(1.1)).rejects.toThrow(RangeError)
  })

  it('runs backends that reach each other, until the publisher is killed', async () => {
    const network = new MemoryNetwork()
    await using net = await testnet(4, () => new MemoryBackend({ network }))
    const [publisher, visitor] = net.nodes
    const { endpoints } = (await publisher?.startTunnel(9, { onStream: (stream) => void stream.pipe(stream) })) ?? { endpoints: [] }
    const stream = await visitor?.dial(endpoints[0]?.address ?? '')
    stream?.end('x')
    expect(await stream?.toArray().then((parts) => Buffer.concat(parts).toString())).toBe('x')
    await net.kill(1)
    await expect(visitor?.dial(endpoints[0]?.address ?? '')).rejects.toMatchObject({ kind: 'unavailable' })
  })
})
