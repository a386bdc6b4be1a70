import { once } from 'node:events'
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { generateIdentity, type Identity } from '../../../core/index.ts'
import { LINK_TOKEN_BYTES, LINK_TOKEN_LABEL } from '../../../core/link/constants.ts'
import { tlsContextOptions } from '../../../core/link/tls.ts'

/** A visitor made of Node's own TLS and HTTP/2, which keeps no rule that they do not force upon it. */
export interface RawVisitor extends Disposable {
  readonly session: ClientHttp2Session
  readonly connection: TLSSocket
  readonly token: Buffer
  /** A TLS connection under the same key, without the protocol of links: a side channel once its preamble is written. */
  openPipe(): Promise<TLSSocket>
  /** Opens a stream; resolves with the status of the answer. */
  open(headers?: Record<string, string>): Promise<{ readonly stream: ClientHttp2Stream; readonly status: number }>
}

export async function rawVisitor(port: number): Promise<RawVisitor> {
  const identity = generateIdentity()
  const connection = await rawTls(port, identity, ['h2'])
  const session = connectHttp2('https://raw', { createConnection: () => connection })
  session.on('error', () => {})
  await once(session, 'remoteSettings')
  return {
    session,
    connection,
    token: connection.exportKeyingMaterial(LINK_TOKEN_BYTES, LINK_TOKEN_LABEL, Buffer.alloc(0)),
    openPipe: () => rawTls(port, identity),
    async open(headers = {}) {
      const stream = session.request(
        { ':method': 'CONNECT', ':authority': 'service', ...headers },
        { endStream: false, waitForTrailers: true },
      )
      stream.on('error', () => {})
      const ended = once(stream, 'close').then(() => Promise.reject(new Error('no answer')))
      const [answer] = (await Promise.race([once(stream, 'response'), ended])) as [Record<string, number>]
      return { stream, status: answer[':status'] ?? 0 }
    },
    [Symbol.dispose]: () => session.destroy(),
  }
}

/** A TLS connection to a listener, under any key. */
export async function rawTls(port: number, identity: Identity = generateIdentity(), protocols: string[] = []): Promise<TLSSocket> {
  const tls = connectTls({
    host: '127.0.0.1',
    port,
    ...tlsContextOptions(identity),
    rejectUnauthorized: false,
    servername: '',
    ...(protocols.length > 0 && { ALPNProtocols: protocols }),
  })
  tls.on('error', () => {})
  await once(tls, 'secureConnect')
  return tls
}
