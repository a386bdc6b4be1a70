import type { Socket } from 'node:net'
import type { Clock } from '../../../../core/index.ts'
import { parseFields } from '../control/fields.ts'

/** The event comes at the same moment as the end, by another connection; one that does not come in this time was not sent. */
const EVENT_LIMIT_MS = 2_000

interface Watched {
  /** The daemon's number of the stream, once it is known. */
  id: string | undefined
  /** Whether it came to a proper end; undefined = not known yet. */
  clean: boolean | undefined
  decided: () => void
}

/**
 * Tells ends of streams from breaks. A daemon closes a SOCKS connection in the same way when the far end has sent everything, when it reset
 * the stream, and when the circuit broke in the middle; only its `STREAM` events say which (control-spec section 4.1.2). A break is passed
 * on as one: what was cut off must not look complete.
 */
export class StreamEndings {
  readonly #clock: Clock
  readonly #byPort = new Map<number, Watched>()
  readonly #byId = new Map<string, Watched>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes the text of a `STREAM` event. Those of streams that are not watched are passed over. */
  onEvent(text: string): void {
    const { words, pairs } = parseFields(text)
    const [, id = '', status] = words
    if (status === 'NEW') {
      const port = Number(/^127\.0\.0\.1:(\d{1,5})$/.exec(pairs['SOURCE_ADDR'] ?? '')?.[1] ?? 0)
      const watched = this.#byPort.get(port)
      if (watched === undefined || watched.id !== undefined) return
      watched.id = id
      this.#byId.set(id, watched)
    } else if (status === 'CLOSED') {
      const watched = this.#byId.get(id)
      if (watched === undefined) return
      this.#byId.delete(id)
      // `DONE` alone follows our own end, upon which the daemon closes the other direction too: it has no half-closed streams.
      const reason = pairs['REASON'] === 'END' ? pairs['REMOTE_REASON'] : pairs['REASON']
      this.#decide(watched, reason === 'DONE')
    }
  }

  /** The daemon is gone: every stream was cut off. */
  onLost(): void {
    for (const watched of this.#byPort.values()) this.#decide(watched, false)
    this.#byId.clear()
  }

  /** Watches a connection to the SOCKS port from the moment that it is connected. Its end is held back until it is known what it means. */
  watch(socket: Socket): void {
    const { localPort, localAddress } = socket
    if (localPort === undefined || localAddress !== '127.0.0.1') return
    const watched: Watched = { id: undefined, clean: undefined, decided: () => {} }
    this.#byPort.set(localPort, watched)
    socket.once('close', () => {
      if (this.#byPort.get(localPort) === watched) this.#byPort.delete(localPort)
      if (watched.id !== undefined) this.#byId.delete(watched.id)
      watched.decided()
    })
    const push = socket.push.bind(socket)
    let ending = false
    socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk !== null) return push(chunk, encoding)
      if (ending) return false
      ending = true
      void this.#decision(watched).then((clean) => {
        if (socket.destroyed) return
        if (clean) push(null)
        else socket.destroy()
      })
      return false
    }
  }

  #decide(watched: Watched, clean: boolean): void {
    watched.clean ??= clean
    watched.decided()
  }

  /** Whether the end is a proper one. Where the daemon tells no events, it counts as one. */
  #decision(watched: Watched): Promise<boolean> {
    if (watched.clean !== undefined) return Promise.resolve(watched.clean)
    if (watched.id === undefined) return Promise.resolve(true)
    return new Promise((resolve) => {
      const cancel = this.#clock.after(EVENT_LIMIT_MS, () => resolve(true), { unref: true })
      watched.decided = () => {
        cancel()
        resolve(watched.clean ?? true)
      }
    })
  }
}
