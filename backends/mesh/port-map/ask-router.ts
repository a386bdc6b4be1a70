import { createSocket } from 'node:dgram'
import type { Router } from './router.ts'
import { RouterRefusal } from './granted.ts'

/** Waits for an answer before asking again: doubled from 250 ms (RFC 6886 section 3.1). Three tries: a router is one hop away. */
const WAITS_MS: readonly number[] = [250, 500, 1_000]

/**
 * Sends a datagram to the router until `read` makes something of an answer. What others send is ignored, and so is what `read` takes for no
 * answer to this question (undefined).
 * @throws RouterRefusal as `read` does, or when nothing comes; the signal's reason
 */
export function askRouter<T>(
  router: Router,
  question: Buffer,
  read: (answer: Buffer) => T | undefined,
  { signal }: { readonly signal: AbortSignal },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    let tries = 0
    let ended = false
    let timer: NodeJS.Timeout | undefined
    const end = (act: () => void): void => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.close()
      act()
    }
    const onAbort = (): void => end(() => reject(signal.reason))
    const send = (): void => {
      const wait = WAITS_MS[tries++]
      if (wait === undefined) return end(() => reject(new RouterRefusal('no answer')))
      socket.send(question, (error) => {
        if (error !== null) onError(error)
      })
      timer = setTimeout(send, wait)
    }
    // A router without the service answers with ICMP: port unreachable.
    const onError = (error: Error): void => end(() => reject(new RouterRefusal(`not there (${error.message})`)))
    socket.on('error', onError)
    socket.on('message', (answer) => {
      if (ended) return
      try {
        const value = read(answer)
        if (value !== undefined) end(() => resolve(value))
      } catch (error) {
        end(() => reject(error as Error))
      }
    })
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    // Connected: the system drops what comes from elsewhere.
    socket.connect(router.pcpPort, router.address, send)
  })
}
