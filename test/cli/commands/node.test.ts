import { createServer } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { MeshBackend } from '../../../backends/mesh/index.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'
import { BeamProcess, temporaryFolder } from '../beam-process.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A node on 127.0.0.1 as its user starts it. */
async function beamNode(...args: string[]): Promise<{ process: BeamProcess; said: Record<string, unknown> }> {
  const folder = await temporaryFolder()
  open.push(() => folder[Symbol.asyncDispose]())
  const env = { BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }
  const process = new BeamProcess(['node', '--bind', '127.0.0.1', '--json', ...args], { folder: folder.path, env })
  open.push(() => process[Symbol.asyncDispose]())
  return { process, said: await process.event('node') }
}

async function user(...[discovery, config]: [Parameters<typeof testMesh>[1]?, Parameters<typeof testMesh>[2]?]): Promise<MeshBackend> {
  const paths = await testPaths()
  open.push(() => paths[Symbol.asyncDispose]())
  const backend = await testMesh(paths, discovery, config)
  open.push(() => backend[Symbol.asyncDispose]())
  return backend
}

async function echoPort(): Promise<number> {
  const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  open.push(() => server.close())
  return (server.address() as { port: number }).port
}

async function says(backend: MeshBackend, address: string): Promise<string> {
  const stream = await backend.dial(address)
  stream.end('hello')
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

it('serves what its switches say: others start their DHT from it, and register with it', { timeout: 60_000 }, async () => {
  const { process, said } = await beamNode('--bootstrap', '--rendezvous')
  expect(said).toMatchObject({ participation: 'full', serves: ['bootstrap', 'rendezvous'] })
  const bootstrap = said['bootstrap'] as string[]
  const peers = said['addresses'] as string[]
  expect(bootstrap).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)])

  // Each is told of the service in one way, and nobody sees the publisher's registry.
  const publisher = await user({ bootstrap }, { peers })
  const { endpoints } = await publisher.startTunnel(await echoPort())
  const address = endpoints[0]?.address ?? ''
  const byDht = await user({ bootstrap })
  await expect.poll(() => says(byDht, address).catch((error: Error) => error.message), { timeout: 15_000 }).toBe('hello')
  const byNode = await user({}, { peers })
  await expect.poll(() => says(byNode, address).catch((error: Error) => error.message), { timeout: 15_000 }).toBe('hello')

  await publisher[Symbol.asyncDispose]()
  const later = await user({ bootstrap }, { peers })
  await expect(later.dial(address)).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
  expect((await process.stop()).code).toBe(0)
})

it('relays only, when it is asked for that', { timeout: 30_000 }, async () => {
  const { process, said } = await beamNode('--relay')
  expect(said).toMatchObject({ serves: ['relay'], bootstrap: [] })
  const peers = said['addresses'] as string[]
  const visitor = await user({}, { peers })
  await expect(visitor.resolveDomain('nobody.example', {})).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
  expect((await process.stop()).code).toBe(0)
})
