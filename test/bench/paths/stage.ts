import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { MultipathAcceptor } from '../../../core/streams/index.ts'
import { faulty, type Faulty, type Faults, MemoryBackend } from '../../../core/testing/index.ts'
import { connectTunnel, type LocalPort } from '../../../core/tunnels/connect.ts'
import type { ConnectEvent } from '../../../core/tunnels/events.ts'
import { LocalService } from '../../../core/tunnels/local-service.ts'
import type { Strategy } from '../../../core/tunnels/strategy.ts'

/** A service on several shaped networks of this process, and a local port that reaches it. */
export interface Stage extends AsyncDisposable {
  readonly port: LocalPort
  readonly networks: ReadonlyArray<Faulty<MemoryBackend>>
}

/** Answers `<bytes>\n` with so many bytes. */
export async function source(): Promise<{ readonly port: number; readonly server: Server }> {
  const block = Buffer.alloc(64 * 1024, 7)
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', (line: Buffer) => {
      let left = Number(line.toString())
      const go = (): void => {
        while (left > 0) {
          const chunk = block.subarray(0, Math.min(left, block.length))
          left -= chunk.length
          if (!socket.write(chunk)) return void socket.once('drain', go)
        }
        socket.end()
      }
      go()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, server }
}

/** Publishes on one network for each of the faults, and connects. Waits until every path is up. */
export async function stage(servicePort: number, strategy: Strategy, shapes: readonly Faults[]): Promise<Stage> {
  const service = new LocalService({ host: '127.0.0.1', port: servicePort })
  const acceptor = new MultipathAcceptor({ handler: service.handle })
  const networks = shapes.map((shape, index) => faulty(new MemoryBackend({ name: `path${index + 1}` }), shape))
  const ways = await Promise.all(
    networks.map(async (backend) => {
      const { endpoints } = await backend.startTunnel(servicePort, {
        onStream: strategy === 'multipath' ? acceptor.handle : service.handle,
      })
      const handle = { name: backend.name, capabilities: backend.getCapabilities(), backend, ready: async () => backend }
      return { handle, address: endpoints[0]?.address ?? '' }
    }),
  )
  const [first, ...others] = ways
  if (first === undefined) throw new RangeError('no path')
  const up = new Set<string>()
  const onEvent = (event: ConnectEvent): void => {
    if (event.event === 'path' && event.path.state === 'up') up.add(event.path.label)
  }
  const port = await connectTunnel({ ...first, others, strategy, onEvent })
  for (const path of port.paths) if (path.state === 'up') up.add(path.label)
  while (up.size < shapes.length && shapes.length > 1) await new Promise((resolve) => setTimeout(resolve, 10))
  return {
    port,
    networks,
    async [Symbol.asyncDispose]() {
      await port.stop()
      acceptor.close()
      service.close()
      for (const network of networks) {
        network.faults.clear()
        await network[Symbol.asyncDispose]()
      }
    },
  }
}
