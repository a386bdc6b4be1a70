import type { Socket } from 'node:net'
import { HANDSHAKE_TIMEOUT_MS, SIDE_TOKEN_BYTES } from './constants.ts'
import type { Expected, SideDoor } from './side-door.ts'

/**
 * Looks at the first bytes of a connection: those of a side connection are a token that is expected here. Everything else goes to TLS with
 * all its bytes, as soon as they are no beginning of a token: a stranger who tries is answered as if there were none.
 */
export function readGreeting(
  socket: Socket,
  door: SideDoor,
  next: { readonly link: () => void; readonly side: (take: Expected['take']) => void },
): void {
  let seen: Buffer = Buffer.alloc(0)
  const timer = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT_MS)
  timer.unref()
  const onClose = (): void => clearTimeout(timer)
  function onReadable(): void {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) {
      // It ended before it said what it is.
      if (socket.readableEnded) socket.destroy()
      return
    }
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    if (seen.length < SIDE_TOKEN_BYTES && door.mayBe(seen)) return
    clearTimeout(timer)
    socket.off('readable', onReadable)
    socket.off('end', onReadable)
    socket.off('close', onClose)
    const take = door.enter(seen.subarray(0, SIDE_TOKEN_BYTES))
    const rest = take === undefined ? seen : seen.subarray(SIDE_TOKEN_BYTES)
    if (rest.length > 0) socket.unshift(rest)
    if (take === undefined) next.link()
    else next.side(take)
  }
  socket.on('readable', onReadable)
  socket.on('end', onReadable)
  socket.on('close', onClose)
}
