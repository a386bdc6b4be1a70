import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { generateIdentity, silentLogger } from '../../../core/index.ts'
import { dialLink, type DialledLink } from '../../../core/link/index.ts'
import { tlsContextOptions } from '../../../core/link/tls.ts'

/** A publisher made of Node's own TLS, which keeps no rule that it does not force upon it. */
export interface RawPublisher extends AsyncDisposable {
  /** `divert` is shown every TCP connection with its number; what it takes never gets to TLS. */
  dial(divert?: (socket: Socket, count: number) => boolean): Promise<DialledLink>
}

/** `answer` gets every connection: links have a protocol, side channels none. */
export async function rawPublisher(answer: (tls: TLSSocket) => void): Promise<RawPublisher> {
  const service = generateIdentity()
  const connections = new Set<TLSSocket>()
  const options = { ...tlsContextOptions(service), ALPNProtocols: ['h2'], requestCert: true, rejectUnauthorized: false }
  const server = createServer(options, (tls) => {
    connections.add(tls)
    tls.on('error', () => {})
    answer(tls)
  })
  let count = 0
  let takes: (socket: Socket, count: number) => boolean = () => false
  const tcp = createTcpServer((socket) => {
    if (!takes(socket, ++count)) server.emit('connection', socket)
  })
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const to = { host: '127.0.0.1', port }
  return {
    dial(divert = () => false) {
      takes = divert
      return dialLink({ to, expectedKey: service.publicKey, identity: generateIdentity(), logger: silentLogger })
    },
    async [Symbol.asyncDispose]() {
      for (const tls of connections) tls.destroy()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

/** A frame of HTTP/2 (RFC 9113 section 4.1). */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt8(flags, 4)
  header.writeUInt32BE(streamId, 5)
  return Buffer.concat([header, payload])
}
