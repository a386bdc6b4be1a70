import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { watchLink } from '../../../backends/mesh/watch-link.ts'
import type { MeshNetwork } from '../../../backends/mesh/network/mesh-network.ts'
import { generateIdentity, silentLogger, systemClock, type LinkStream } from '../../../core/index.ts'
import { dialLink } from '../../../core/link/index.ts'
import { listenForPair } from '../../core/link/pair.ts'
import { freezable } from '../../helpers/freezable.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'
import { testNetwork } from '../../helpers/mesh-network.ts'
import { timersLate } from '../../helpers/timers-late.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

it('a link that carries streams is given up when its far end is frozen, and not before', { timeout: 30_000 }, async () => {
  await using pair = await listenForPair({ onStream: (stream: LinkStream) => void stream.pipe(stream) })
  const way = await freezable(pair.port)
  open.push(() => way.close())
  const { link } = await dialLink({
    to: { host: '127.0.0.1', port: way.port },
    expectedKey: pair.service.publicKey,
    identity: generateIdentity(),
    logger: silentLogger,
  })
  open.push(() => link.close())
  let silentAt: number | undefined
  const watch = (): void => {
    silentAt = undefined
    open.push(watchLink(link, { clock: systemClock, roundTripMs: 1, onSilent: () => (silentAt = performance.now()) }))
  }
  watch()
  const stream = link.openStream('x')
  stream.on('error', () => {}).write('hello')
  await once(stream, 'data')
  const late = timersLate()
  open.push(() => late.stop())
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  // Both ends are in this process: where the machine gave it no time for so long, nobody could answer.
  if (late.worstMs() < 250) expect(silentAt).toBeUndefined()
  if (silentAt !== undefined) watch()
  const frozenAt = performance.now()
  way.freeze()
  await expect.poll(() => silentAt, { timeout: 10_000, interval: 10 }).toBeDefined()
  process.stdout.write(`silence noticed after ${Math.round((silentAt ?? 0) - frozenAt)} ms\n`)
  expect(link.usable).toBe(true)
})

it('a visitor whose relay ends reaches the service through another', { timeout: 60_000 }, async () => {
  const relays = new Map<string, MeshNetwork>()
  for (let count = 0; count < 2; count++) {
    const relay = await testNetwork(open)
    relays.set(relay.node.id, relay)
  }
  const peers = [...relays.values()].flatMap(({ addresses }) => addresses)
  const server = createServer((socket) => void socket.pipe(socket).on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => server.close())
  const [atHome, away] = [await testPaths(), await testPaths()]
  open.push(() => atHome[Symbol.asyncDispose]())
  open.push(() => away[Symbol.asyncDispose]())
  const publisher = await testMesh(atHome, {}, { peers })
  open.push(() => publisher[Symbol.asyncDispose]())
  const { endpoints } = await publisher.startTunnel((server.address() as AddressInfo).port)
  const visitor = await testMesh(away, {}, { peers, participation: 'routing' })
  open.push(() => visitor[Symbol.asyncDispose]())
  const say = async (): Promise<string> => {
    const stream = await visitor.dial(endpoints[0]?.address ?? '', { network: { hops: 1 } })
    stream.end('hello')
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    return text
  }
  const sayOr = (): Promise<string> => say().catch((error: Error) => error.message)
  await expect.poll(sayOr, { timeout: 30_000, interval: 100 }).toBe('hello')
  // Both relays have to hold the service before one goes.
  const reserved = (): boolean => [...relays.values()].every(({ relayed }) => (relayed?.reservations ?? 0) > 0)
  await expect.poll(reserved, { timeout: 30_000, interval: 100 }).toBe(true)
  await expect.poll(sayOr, { timeout: 30_000, interval: 100 }).toBe('hello')
  const used = [...relays.values()].toSorted((a, b) => (b.relayed?.streams ?? 0) - (a.relayed?.streams ?? 0))[0] as MeshNetwork
  const start = performance.now()
  await used[Symbol.asyncDispose]()
  await expect.poll(sayOr, { timeout: 30_000, interval: 10 }).toBe('hello')
  process.stdout.write(`reached again ${Math.round(performance.now() - start)} ms after the relay ended\n`)
})

it('a way through relays to a service that has none is not called unpublished', async () => {
  const [atHome, away] = [await testPaths(), await testPaths()]
  open.push(() => atHome[Symbol.asyncDispose]())
  open.push(() => away[Symbol.asyncDispose]())
  const publisher = await testMesh(atHome)
  open.push(() => publisher[Symbol.asyncDispose]())
  const { endpoints } = await publisher.startTunnel(3999)
  // The same user on the same machine: found by the registry, at an address without a relay.
  const visitor = await testMesh(atHome)
  open.push(() => visitor[Symbol.asyncDispose]())
  const address = endpoints[0]?.address ?? ''
  await expect(visitor.dial(address, { network: { hops: 1 } })).rejects.toThrow(/was found, but no relay answers for it/)
  const stranger = await testMesh(away)
  open.push(() => stranger[Symbol.asyncDispose]())
  await expect(stranger.dial(address, { network: { hops: 1 } })).rejects.toThrow(/Nobody publishes this address: asked this machine\./)
})
