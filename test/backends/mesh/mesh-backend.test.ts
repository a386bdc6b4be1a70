import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { generateIdentity, type BeamError, type TunnelEvent } from '../../../core/index.ts'
import { startDhtTestnet } from '../../helpers/dht-testnet.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'

const echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
let port: number
beforeAll(async () => {
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  port = (echo.address() as AddressInfo).port
})
afterAll(() => echo.close())

async function roundTrip(stream: Duplex, bytes = 100_000): Promise<boolean> {
  const data = randomBytes(bytes)
  stream.end(data)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).equals(data)
}

it('reaches a tunnel of another backend of the same user, without any network', async () => {
  await using paths = await testPaths()
  await using publisher = await testMesh(paths)
  await using visitor = await testMesh(paths)
  const events: TunnelEvent[] = []
  const tunnel = await publisher.startTunnel(port, { onEvent: (event) => events.push(event) })
  const address = tunnel.endpoints[0]?.address as string
  expect(address).toMatch(/^beam:\/\/[a-z2-7]{56}$/)
  expect(events[0]).toEqual({ type: 'address', address })
  expect(await visitor.reach(address)).toMatchObject({ backend: 'mesh', kind: 'direct', hops: 0 })
  expect(await roundTrip(await visitor.dial(address))).toBe(true)
  expect(await publisher.getNetworkStats()).toMatchObject({
    bytesIn: 100_000,
    bytesOut: 100_000,
    totalStreams: 1,
    openStreams: 0,
    peers: 1,
  })
  await publisher.stopTunnel(tunnel.id)
  // The visitor's link ends a moment later; from then on nobody is found.
  await expect.poll(() => visitor.reach(address).catch((error: BeamError) => error.code)).toBe('BEAM_ERR_NOT_FOUND')
})

it('dials host and port of an address directly, and refuses a stranger there', async () => {
  await using paths = await testPaths()
  await using elsewhere = await testPaths()
  await using publisher = await testMesh(paths, {}, { listen: { host: '127.0.0.1', port: 0 } })
  await using visitor = await testMesh(elsewhere)
  const tunnel = await publisher.startTunnel(port)
  const address = tunnel.endpoints[0]?.address as string
  await expect(visitor.dial(address)).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND', hint: expect.stringContaining('mDNS') })
  const [direct = ''] = tunnel.endpoints[0]?.direct ?? []
  expect(direct).toMatch(/^beam:\/\/[a-z2-7]{56}@127\.0\.0\.1:\d+$/)
  expect(await roundTrip(await visitor.dial(direct))).toBe(true)
  const other = (await publisher.startTunnel(port, { identity: generateIdentity() })).endpoints[0]?.address as string
  await expect(visitor.dial(direct.replace(address, other))).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_MISMATCH' })
})

it('links again after the publisher came back with the same key', async () => {
  await using paths = await testPaths()
  await using visitor = await testMesh(paths)
  const identity = generateIdentity()
  let address = ''
  for (let round = 0; round < 3; round++) {
    await using publisher = await testMesh(paths)
    address = (await publisher.startTunnel(port, { identity })).endpoints[0]?.address as string
    expect(await roundTrip(await visitor.dial(address))).toBe(true)
  }
  await expect(visitor.reach(address)).rejects.toMatchObject({ kind: 'unreachable' })
})

it('finds a publisher through the DHT and reaches it hole-punched when there is no address to dial', async () => {
  const dht = await startDhtTestnet(6)
  await using _dht = { [Symbol.asyncDispose]: () => dht.close() }
  await using publisherPaths = await testPaths()
  await using visitorPaths = await testPaths()
  await using publisher = await testMesh(publisherPaths, { bootstrap: dht.bootstrap })
  await using visitor = await testMesh(visitorPaths, { bootstrap: dht.bootstrap })
  let announced!: () => void
  const known = new Promise<void>((resolve) => (announced = resolve))
  const tunnel = await publisher.startTunnel(port, {
    onEvent: (event) => event.type === 'progress' && /dht/i.test(event.message) && event.message.startsWith('Announced by') && announced(),
  })
  await known
  const address = tunnel.endpoints[0]?.address as string
  const path = await visitor.reach(address)
  expect(['direct', 'hole-punched']).toContain(path.kind)
  expect(await roundTrip(await visitor.dial(address), 1 << 20)).toBe(true)
})

it('resolves a claimed name, remembers the key, and does not switch to another', async () => {
  await using paths = await testPaths()
  await using visitorPaths = await testPaths()
  await using visitor = await testMesh({ ...paths, data: visitorPaths.data })
  const first = await testMesh(paths)
  const tunnel = await first.startTunnel(port, { domain: 'myapp.local' })
  const warnings: string[] = []
  const address = await visitor.resolveDomain('MyApp.local', { onWarning: (code) => warnings.push(code) })
  expect(address).toBe(tunnel.endpoints[0]?.address)
  expect(warnings).toEqual(['BEAM_WARN_NAME_UNVERIFIED'])
  await using second = await testMesh(paths)
  await second.startTunnel(port, { domain: 'myapp.local' })
  expect(await visitor.resolveDomain('myapp.local', {})).toBe(address)
  await first[Symbol.asyncDispose]()
  await expect(visitor.resolveDomain('myapp.local', {})).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_CONFLICT' })
  await expect(visitor.resolveDomain('nobody.local', {})).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
}, 60_000)
