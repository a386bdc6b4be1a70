import type { Socket } from 'node:net'
import { CHUNK_BYTES } from './protocol.ts'

/** Writes `bytes` bytes, the block over and over, as fast as the socket takes them. The data is not copied; `done` follows the last write. */
export function pour(socket: Socket, block: Buffer, bytes: number, done: () => void): void {
  let left = bytes
  const write = (): void => {
    while (left > 0) {
      const size = Math.min(left, CHUNK_BYTES)
      left -= size
      if (!socket.write(size === CHUNK_BYTES ? block : block.subarray(0, size)) && left > 0) {
        socket.once('drain', write)
        return
      }
    }
    done()
  }
  write()
}
