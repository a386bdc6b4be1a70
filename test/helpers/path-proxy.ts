import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a port that can fall silent or die, as a network does: silent = bytes are neither taken nor delivered, and nobody is told. */
export interface PathProxy extends AsyncDisposable {
  readonly port: number
  /** Bytes that it carried. */
  readonly bytes: number
  silence(silent: boolean): void
  /** Closes every connection and refuses new ones. */
  kill(): Promise<void>
}

/** Stands between a visitor and a port of this machine, on a given port or on any free one. */
export async function pathProxy(target: number, port = 0): Promise<PathProxy> {
  const sockets = new Set<Socket>()
  let bytes = 0
  let silent = false
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true, noDelay: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (!to.write(chunk)) from.pause()
      })
      from.on('end', () => to.end())
      to.on('drain', () => {
        if (!silent) from.resume()
      })
      if (silent) from.pause()
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const end = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return bytes
    },
    silence(now) {
      silent = now
      for (const socket of sockets) {
        if (now) socket.pause()
        else socket.resume()
      }
    },
    kill: end,
    [Symbol.asyncDispose]: end,
  }
}
