import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { MeshBackend } from '../../../backends/mesh/index.ts'
import { operateBackend } from '../../../cli/operate.ts'
import type { BeamProcess } from '../../cli/beam-process.ts'
import { Home } from '../../cli/daemon/home.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A relay as a process of its own, which can be frozen as a whole: the kernel goes on accepting its connections. */
interface RelayProcess {
  readonly process: BeamProcess
  readonly address: string
  /** Bytes that it has carried. */
  bytes(): Promise<number>
}

async function relayProcess(): Promise<RelayProcess> {
  const home = await Home.make()
  open.push(() => home[Symbol.asyncDispose]())
  const process = home.start('node', '--relay', '--bind', '127.0.0.1', '--json')
  open.push(() => process[Symbol.asyncDispose]())
  const [address = ''] = (await process.event('node'))['addresses'] as string[]
  const bytes = async (): Promise<number> => {
    const [own] = await operateBackend({ backend: 'mesh', operation: 'status', paths: home.paths })
    return (own?.answer['relayed'] as { bytes: number } | undefined)?.bytes ?? 0
  }
  return { process, address, bytes }
}

async function user(peers: string[]): Promise<MeshBackend> {
  const paths = await testPaths()
  open.push(() => paths[Symbol.asyncDispose]())
  const backend = await testMesh(paths, {}, { peers, participation: 'routing' })
  open.push(() => backend[Symbol.asyncDispose]())
  return backend
}

async function echoPort(): Promise<number> {
  const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Visitors that come every 20 ms, each with a stream of its own. */
interface Visitors {
  /** When the first of those that came after a time was served; undefined = not yet. */
  servedAt(cameAfter: number): number | undefined
  /** The longest that one of them was served in. */
  worstMs(): number
}

function visitors(say: () => Promise<string>): Visitors {
  const served: Array<{ readonly cameAt: number; readonly at: number }> = []
  const timer = setInterval(() => {
    const cameAt = performance.now()
    void say().then(
      (text) => {
        if (text === 'hello') served.push({ cameAt, at: performance.now() })
      },
      () => {},
    )
  }, 20)
  open.push(() => clearInterval(timer))
  return {
    servedAt: (cameAfter) => served.find(({ cameAt }) => cameAt > cameAfter)?.at,
    worstMs: () => Math.max(...served.map(({ cameAt, at }) => at - cameAt)),
  }
}

/** Which of the relays the visitors go through: they may change it when the machine is so busy that one seems silent. */
async function usedOf(relays: readonly RelayProcess[]): Promise<BeamProcess> {
  for (;;) {
    const before = await Promise.all(relays.map((relay) => relay.bytes()))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const after = await Promise.all(relays.map((relay) => relay.bytes()))
    const used = relays.filter((_, index) => (after[index] ?? 0) - (before[index] ?? 0) > 1_000)
    if (used.length === 1 && used[0] !== undefined) return used[0].process
  }
}

it('a visitor whose relay freezes is served through another', { timeout: 90_000 }, async () => {
  const relays = await Promise.all([relayProcess(), relayProcess()])
  const peers = relays.map(({ address }) => address)
  const publisher = await user(peers)
  const { endpoints } = await publisher.startTunnel(await echoPort())
  const address = endpoints[0]?.address ?? ''
  const visitor = await user(peers)
  const say = async (): Promise<string> => {
    const stream = await visitor.dial(address, { network: { hops: 1 } })
    open.push(() => stream.destroy())
    stream.end('hello')
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    return text
  }
  await expect.poll(() => say().catch((error: Error) => error.message), { timeout: 30_000, interval: 100 }).toBe('hello')
  // The record has to name both before one freezes.
  const reserved = async (): Promise<unknown> => (await publisher.operate('status', {}))['relays']
  await expect.poll(reserved, { timeout: 30_000, interval: 100 }).toHaveLength(2)

  const { servedAt, worstMs } = visitors(say)
  const used = await usedOf(relays)
  const usualMs = worstMs()
  const frozenAt = performance.now()
  used.child.kill('SIGSTOP')
  await expect.poll(() => servedAt(frozenAt), { timeout: 20_000, interval: 10 }).toBeDefined()
  const ms = (servedAt(frozenAt) ?? Infinity) - frozenAt
  process.stdout.write(`visitors were served ${Math.round(ms)} ms after a relay froze (before, within ${Math.round(usualMs)} ms)\n`)
  // A visit takes some milliseconds. Where it takes many, the machine is so busy that everything does: then it counts that they are served.
  // Twice what is aimed at, since a second of this machine may be anybody's; docs/nat.md has what was measured.
  if (usualMs < 50) expect(ms).toBeLessThan(2_000)
})
