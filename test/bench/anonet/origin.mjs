/** The service behind the tunnels: sends as many bytes as the visitor's first eight say. Use: node origin.mjs HOST PORT. Prints `up`. */
import { createServer } from 'node:net'

const [, , host, port] = process.argv
const CHUNK = Buffer.alloc(256 * 1024, 0x62)

createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {})
  socket.once('data', (head) => {
    let left = Number(head.readBigUInt64BE())
    const write = () => {
      while (left > 0) {
        const part = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
        left -= part.length
        if (!socket.write(part)) return void socket.once('drain', write)
      }
      socket.end()
    }
    write()
  })
}).listen({ host, port: Number(port) }, () => console.log('up'))
