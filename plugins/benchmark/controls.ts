import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { CleanupStack, join } from '../../core/index.ts'

/** A plain TCP proxy on 127.0.0.1, moving bytes as tunnels do: what is left of a network when the network is taken away. */
export async function plainProxy(port: number): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (visitor) => {
    const service = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    for (const socket of [visitor, service]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    void join(visitor, service)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const cleanup = new CleanupStack()
  cleanup.defer(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose]() }
}
