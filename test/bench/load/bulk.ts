import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { block, CHUNK_BYTES, type Result } from './protocol.ts'
import { pour } from './transfer.ts'

const BLOCK = block()

/** One stream of `bytes` bytes, timed from the dial to the last byte; of an upload, to the origin's word that it has it all. */
export function transfer(port: number, direction: 'down' | 'up', bytes: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    const begin = performance.now()
    let received = 0
    // Reads into one buffer: a reader that allocates for every read would be slower than some of the peers.
    const onread = { buffer, callback: (length: number) => ((received += length), true) }
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true, onread })
    socket.on('error', reject)
    socket.on('end', () => {
      socket.end()
      if (direction === 'down' && received !== bytes) reject(new Error(`${received} of ${bytes} bytes arrived`))
      else if (received === 0) reject(new Error('ended without an answer'))
      else resolve({ bytes, seconds: (performance.now() - begin) / 1000 })
    })
    if (direction === 'down') socket.write(`DOWN ${bytes}\n`)
    else {
      socket.write(`UP ${bytes}\n`)
      pour(socket, BLOCK, bytes, () => {})
    }
  })
}

/** Sends and receives `bytes` bytes and compares SHA-256 at the far end; 1 in `same` means both are what was sent. */
export async function check(port: number, bytes: number): Promise<Result> {
  const expected = createHash('sha256')
  for (let left = bytes; left > 0; left -= CHUNK_BYTES) expected.update(BLOCK.subarray(0, Math.min(left, CHUNK_BYTES)))
  const digest = expected.digest('hex')
  const up = await exchange(port, `HASH ${bytes}\n`, (socket) => pour(socket, BLOCK, bytes, () => {}))
  if (up.text.trim() !== `ok ${digest}`) throw new Error('SHA-256 of the upload differs')
  const down = await exchange(port, `DOWN ${bytes}\n`, () => {})
  if (down.digest !== digest) throw new Error('SHA-256 of the download differs')
  return { same: 1 }
}

/** Everything that comes back for one first line: its SHA-256 and its first bytes. */
function exchange(port: number, line: string, then: (socket: Socket) => void): Promise<{ digest: string; text: string }> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256')
    let text = ''
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      hash.update(chunk)
      if (text.length < 100) text += chunk.toString('latin1', 0, 100)
    })
    socket.on('end', () => {
      socket.end()
      resolve({ digest: hash.digest('hex'), text })
    })
    socket.write(line)
    then(socket)
  })
}
