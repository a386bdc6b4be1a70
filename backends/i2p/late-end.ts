import type { Socket } from 'node:net'
import type { Clock } from '../../core/index.ts'

/** i2pd hands out one piece of this size after the far end has closed; what else it has not handed out by then is lost. */
const LAST_PIECE_BYTES = 8 * 1024

/**
 * Holds the end of a direction back for a moment when more than one piece was written: it goes out when everything else has been
 * acknowledged, and overtakes what the visitor's router has received but, on a busy machine, not handed to its client yet.
 */
export function endLate(socket: Socket, ms: number, clock: Clock): void {
  const end = socket._final.bind(socket)
  socket._final = (done) => {
    if (socket.bytesWritten <= LAST_PIECE_BYTES) return end(done)
    const cancel = clock.after(ms, () => {
      socket.off('close', onClose)
      end(done)
    })
    const onClose = (): void => {
      cancel()
      done()
    }
    socket.once('close', onClose)
  }
}
