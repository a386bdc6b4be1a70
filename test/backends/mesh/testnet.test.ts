import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { testnet } from '../../../core/testing/index.ts'
import { startDhtTestnet } from '../../helpers/dht-testnet.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'

async function echoed(stream: Duplex): Promise<boolean> {
  const data = randomBytes(10_000)
  stream.end(data)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).equals(data)
}

it('lets every node of a net reach every other through the DHT, also after some have vanished', async () => {
  const dht = await startDhtTestnet(6)
  await using _dht = { [Symbol.asyncDispose]: () => dht.close() }
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  await using _echo = { [Symbol.asyncDispose]: async () => void echo.close() }
  const { port } = echo.address() as AddressInfo

  // A user of its own for every node: the registry of one machine does not help.
  const users = await Promise.all(Array.from({ length: 5 }, () => testPaths()))
  await using net = await testnet(5, async (index) => testMesh(users[index] as (typeof users)[number], { bootstrap: dht.bootstrap }))
  const addresses = await Promise.all(
    net.nodes.map(async (node) => {
      let announced = (): void => {}
      const known = new Promise<void>((resolve) => (announced = resolve))
      const tunnel = await node.startTunnel(port, {
        onEvent: (event) => event.type === 'progress' && event.message.includes('dht') && announced(),
      })
      await known
      return tunnel.endpoints[0]?.address as string
    }),
  )
  for (const [from, node] of net.nodes.entries()) {
    const to = (from + 1) % addresses.length
    expect(await echoed(await node.dial(addresses[to] as string)), `${from} to ${to}`).toBe(true)
  }
  const before = [...net.nodes]
  await net.kill(0.4, { seed: 7 })
  const alive = before.flatMap((node, index) => (net.nodes.includes(node) ? [index] : []))
  const [first = 0, second = 0] = alive
  expect(await echoed(await (before[first] as (typeof before)[number]).dial(addresses[second] as string))).toBe(true)
  await Promise.all(users.map((user) => user[Symbol.asyncDispose]()))
}, 60_000)
