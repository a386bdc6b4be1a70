/**
 * A SOCKS5 proxy that delays what goes through it, a process of its own: prints `proxy PORT` and serves until its parent is gone. It stands
 * between a client's daemon and the network (`Socks5Proxy`), because containers often lack the kernel's netem. Use: delay-proxy.ts MS
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { systemClock } from '../../../core/index.ts'
import { DelayLine } from '../../../core/testing/delay-line.ts'

const delayMs = Number(process.argv[2])
/** Greeting without authentication, its answer, and the answer to a connection (RFC 1928, sections 3 and 6). */
const METHOD = Buffer.from([5, 0])
const CONNECTED = Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
const REQUEST_BYTES = 10
/** What may wait in one direction: more than any window at these delays. */
const MAX_WAITING = 4096

const server = createServer({ noDelay: true }, (client) => {
  client.on('error', () => client.destroy())
  client.once('data', () => {
    client.write(METHOD)
    client.once('data', (request) => {
      // The daemons ask for IPv4 addresses only (type 1).
      if (request.length !== REQUEST_BYTES || request[3] !== 1) return client.destroy()
      const host = request.subarray(4, 8).join('.')
      const relay = connect({ host, port: request.readUInt16BE(8), noDelay: true }, () => {
        client.write(CONNECTED)
        late(client, relay)
        late(relay, client)
      })
      relay.on('error', () => client.destroy())
    })
  })
})

/** Passes on what comes, later and in order. */
function late(from: Socket, to: Socket): void {
  const line = new DelayLine(systemClock)
  from.on('data', (chunk) => {
    if (line.length >= MAX_WAITING) from.pause()
    line.push(delayMs, () => {
      to.write(chunk)
      from.resume()
    })
  })
  from.on('close', () => line.push(delayMs, () => to.destroy()))
}

process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => console.log(`proxy ${(server.address() as AddressInfo).port}`))
