import { fileURLToPath } from 'node:url'
import { credentials } from './credentials.ts'
import type { Peer, PeerContext } from './peer.ts'

const SCRIPT = fileURLToPath(new URL('node-tunnel.ts', import.meta.url))

async function listen(context: PeerContext, ...args: readonly string[]): Promise<{ pid: number; port: number }> {
  const child = await context.script(SCRIPT, args)
  const [, port] = await child.waitFor(/listening (\d+)/)
  return { pid: child.pid, port: Number(port) }
}

/** No tunnel at all: what load and origin can do. */
export const direct: Peer = {
  name: 'direct',
  what: 'no tunnel: the load talks to the origin',
  missing: () => undefined,
  start: async ({ origin }) => ({ port: origin, publisher: [], connector: [] }),
}

/** A bare TCP proxy. */
export const pipe: Peer = {
  name: 'pipe',
  what: 'bare TCP proxy in Node: two sockets joined by pipe(), one process',
  missing: () => undefined,
  async start(context) {
    const { pid, port } = await listen(context, 'proxy', String(context.origin))
    return { port, publisher: [], connector: [pid] }
  },
}

/** One TLS 1.3 connection for each connection. */
export const tls: Peer = {
  name: 'tls',
  what: 'pair in Node: one TLS 1.3 connection, full handshake, for each connection',
  missing: () => undefined,
  async start(context) {
    credentials(context.folder)
    const server = await listen(context, 'server', String(context.origin), context.folder)
    const client = await listen(context, 'client', String(server.port), context.folder)
    return { port: client.port, publisher: [server.pid], connector: [client.pid] }
  },
}
