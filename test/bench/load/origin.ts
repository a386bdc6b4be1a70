/** The local service behind every tunnel, a process of its own: prints `origin PORT` and serves until its parent is gone. */
import { createHash, type Hash } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { block, BODY_BYTES } from './protocol.ts'
import { pour } from './transfer.ts'

const BLOCK = block()
const BODY = 'x'.repeat(BODY_BYTES)
const KEEP = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\n\r\n${BODY}`)
const CLOSE = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\nConnection: close\r\n\r\n${BODY}`)
/** Longest first line: what is longer is not ours. */
const MAX_LINE = 1024

const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  let head: Buffer = Buffer.alloc(0)
  const read = (chunk: Buffer): void => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    const end = head.indexOf(0x0a)
    if (end < 0 && head.length < MAX_LINE) return
    socket.off('data', read)
    const [verb, count] = head.toString('latin1', 0, Math.max(0, end)).trim().split(' ')
    const rest = head.subarray(end + 1)
    if (verb === 'GET') serveHttp(socket, head)
    else if (verb === 'DOWN') pour(socket.resume(), BLOCK, Number(count), () => socket.end())
    else if (verb === 'UP') receive(socket, rest, Number(count), undefined)
    else if (verb === 'HASH') receive(socket, rest, Number(count), createHash('sha256'))
    else if (verb === 'ECHO') echo(socket, rest)
    else socket.destroy()
  }
  socket.on('data', read)
  socket.on('end', () => socket.end())
})

/** Clients wait for each answer, so a request is whole when its last bytes are an empty line. */
function serveHttp(socket: Socket, first: Buffer): void {
  let seen = ''
  const read = (chunk: Buffer): void => {
    seen += chunk.toString('latin1')
    if (!seen.endsWith('\r\n\r\n')) return
    if (seen.includes('Connection: close')) socket.end(CLOSE)
    else socket.write(KEEP)
    seen = ''
  }
  socket.on('data', read)
  read(first)
}

function receive(socket: Socket, first: Buffer, bytes: number, hash: Hash | undefined): void {
  let left = bytes
  const read = (chunk: Buffer): void => {
    left -= chunk.length
    hash?.update(chunk)
    if (left <= 0) socket.end(`ok ${hash?.digest('hex') ?? '-'}\n`)
  }
  socket.on('data', read)
  read(first)
}

function echo(socket: Socket, first: Buffer): void {
  socket.on('data', (chunk) => socket.write(chunk))
  if (first.length > 0) socket.write(first)
}

process.on('disconnect', () => process.exit())
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`origin ${(server.address() as AddressInfo).port}`))
