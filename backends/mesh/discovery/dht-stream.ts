import { Duplex } from 'node:stream'
import type HyperDHT from 'hyperdht'
import { ProtocolError, TimeoutError, UnreachableError } from '../../../core/index.ts'
import type { DhtNode } from './dht-node.ts'

/**
 * hyperdht gives up a cone-to-cone pair after 10 s and needs up to 10 s for a random one (measured in a NAT laboratory); beyond this nothing
 * comes any more.
 */
const OPEN_TIMEOUT_MS = 20_000

/**
 * Bytes that may wait for a reader. The transport (UDX) has no back-pressure at the receiving end: it acknowledges and hands up whatever
 * comes, also when nobody reads (64 MiB were taken in for a reader that was paused). The link inside keeps the far end below its windows,
 * which are far smaller; who goes beyond this breaks the rules, and loses the stream instead of filling our memory.
 */
const MAX_UNREAD_BYTES = 32 * 2 ** 20

/** How long a stream that was ended and then destroyed may take to deliver what was written, and the far end to end its own direction. */
const LINGER_MS = 3_000

/**
 * A hole-punched stream as Node knows streams, so that TLS can run inside. Its own encryption is not relied upon: it hides what passes from
 * the path, but who is at the far end is settled by the link.
 */
export class PunchedStream extends Duplex {
  readonly #socket: HyperDHT.NoiseSocket
  #failure: Error | undefined
  #drained: ((error?: Error | null) => void) | undefined

  constructor(socket: HyperDHT.NoiseSocket) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk) && this.readableLength > MAX_UNREAD_BYTES) {
        this.destroy(new ProtocolError(`The far end sent ${MAX_UNREAD_BYTES} bytes that nobody has read yet.`))
      }
    })
    socket.on('end', () => this.push(null))
    socket.on('drain', () => this.#continue())
    socket.on('error', (error: Error) => (this.#failure = error))
    // Comes last, after a clean end in both directions as well as after a failure.
    socket.on('close', () => {
      this.#continue()
      const clean = this.readableEnded || this.writableFinished
      this.destroy(this.#failure ?? (clean ? undefined : resetError()))
    })
  }

  override _read(): void {
    // Bytes come by themselves; see MAX_UNREAD_BYTES.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) done(this.#failure ?? resetError())
    else if (this.#socket.write(chunk)) done()
    else this.#drained = done
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error === null && this.writableFinished) this.#linger()
    else this.#socket.destroy(error ?? undefined)
    done(error)
  }

  /** What was written before a clean end must arrive, as with TCP; destroying the socket would cut it off. It closes by itself when both have ended. */
  #linger(): void {
    if (this.#socket.destroyed) return
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS)
    timer.unref()
    this.#socket.on('close', () => clearTimeout(timer))
  }

  #continue(): void {
    const done = this.#drained
    this.#drained = undefined
    done?.(this.#socket.destroyed ? (this.#failure ?? resetError()) : null)
  }
}

function resetError(): Error {
  return Object.assign(new Error('the hole-punched stream was cut off'), { code: 'ECONNRESET' })
}

/**
 * Opens a hole-punched stream to whoever announces the service key, under a throw-away key.
 * @throws UnreachableError, TimeoutError; rejects with the signal's reason when it fires.
 */
export function openPunched(
  node: DhtNode,
  dht: HyperDHT,
  serviceKey: Uint8Array,
  options: { readonly relays: readonly HyperDHT.HostAddress[]; readonly signal?: AbortSignal | undefined },
): Promise<Duplex> {
  const { signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    const socket = dht.connect(Buffer.from(serviceKey), {
      keyPair: node.library.keyPair(),
      relayAddresses: [...options.relays],
      localConnection: !node.isLoopback,
    })
    const timer = setTimeout(() => fail(new TimeoutError(`No hole could be punched within ${OPEN_TIMEOUT_MS / 1000} s.`)), OPEN_TIMEOUT_MS)
    timer.unref()
    const cleanUp = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.removeListener('open', onOpen)
      socket.removeListener('close', onClose)
    }
    let failure: Error | undefined
    // Stays until the end: an error that comes while it is given up must not end the process.
    socket.on('error', (error: Error) => (failure = error))
    socket.on('open', onOpen)
    socket.on('close', onClose)
    signal?.addEventListener('abort', onAbort, { once: true })

    function onOpen(): void {
      cleanUp()
      resolve(new PunchedStream(socket))
    }
    function onClose(): void {
      cleanUp()
      reject(
        new UnreachableError(`No hole could be punched to the publisher: ${failure?.message ?? 'the stream was closed'}`, {
          cause: failure,
        }),
      )
    }
    function onAbort(): void {
      fail(signal?.reason)
    }
    function fail(reason: unknown): void {
      cleanUp()
      socket.destroy()
      reject(reason)
    }
  })
}
