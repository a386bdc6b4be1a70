/**
 * The plain peers in Node: `proxy ORIGIN` is one process that joins two TCP sockets with `pipe`; `server ORIGIN CREDENTIALS` and
 * `client SERVER CREDENTIALS` are a pair that opens one TLS 1.3 connection for each TCP connection. Prints `listening PORT`.
 */
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'

const [role, target, folder] = process.argv.slice(2)
const port = Number(target)
const read = (name: string): Buffer => readFileSync(`${folder}/${name}`)

function join(from: Socket, to: Socket): void {
  from.on('error', () => to.destroy())
  to.on('error', () => from.destroy())
  from.pipe(to)
  to.pipe(from)
}

const dial = (): Socket => connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })

function start(): Server {
  if (role === 'proxy') return createServer({ noDelay: true, allowHalfOpen: true }, (socket) => join(socket, dial()))
  if (role === 'server') {
    const options = { cert: read('cert.pem'), key: read('key.pem'), minVersion: 'TLSv1.3', noDelay: true, allowHalfOpen: true } as const
    return createTlsServer(options, (socket) => join(socket, dial()))
  }
  const ca = read('cert.pem')
  // The pinned certificate is the only authority, so its name does not matter.
  const options = { ca, minVersion: 'TLSv1.3', checkServerIdentity: () => undefined } as const
  return createServer({ noDelay: true, allowHalfOpen: true }, (socket) => join(socket, connectTls({ ...options, socket: dial() })))
}

process.on('uncaughtException', (error) => {
  console.error(error)
  process.exit(1)
})
const server = start()
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`listening ${(server.address() as AddressInfo).port}`))
