import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a port that can be frozen: nothing is closed, nothing moves. */
export async function freezable(port: number): Promise<{ readonly port: number; freeze(): void; close(): void }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    const onward = connect({ host: '127.0.0.1', port })
    for (const [from, to] of [[socket, onward] as const, [onward, socket] as const]) {
      sockets.push(from)
      from.on('error', () => {}).on('data', (chunk) => to.write(chunk))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => sockets.forEach((socket) => socket.removeAllListeners('data').pause()),
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
