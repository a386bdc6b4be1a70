import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { BACKLOG_BYTES, MAX_BACKLOG_BYTES } from './constants.ts'

/**
 * The dialler's connection as its HTTP/2 session gets it: every write is taken at once. Node stops reading from a connection while a
 * write of its session is under way, so two ends that both write more than the network takes would wait for each other for ever; it is
 * enough that one of them always reads. Streams ask for room before they write, so what is queued here stays small.
 */
export class Unblocked extends Duplex {
  readonly #tls: TLSSocket
  #waiting: Array<{ readonly bytes: number; readonly go: () => void }> = []
  /** Bytes that were let through in this turn: the session passes them on, as far as its windows allow, before the next one. */
  #underWay = 0

  constructor(tls: TLSSocket) {
    super({ highWaterMark: 1 << 20 })
    this.#tls = tls
    tls.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) tls.pause()
    })
    tls.on('end', () => this.push(null))
    tls.on('error', (error: Error) => this.destroy(error))
    tls.on('close', () => this.destroy())
    tls.on('drain', () => this.#release())
    tls.pause()
  }

  /** Calls `go` when so many bytes of a stream can be written without piling up; at once when there is room. */
  ask(bytes: number, go: () => void): void {
    if (this.#waiting.length === 0 && this.#room()) this.#letThrough(bytes, go)
    else this.#waiting.push({ bytes, go })
  }

  override _read(): void {
    this.#tls.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    this.#tls.write(chunk)
    callback(this.#written())
  }

  override _writev(chunks: Array<{ chunk: Buffer }>, callback: (error?: Error) => void): void {
    // A frame comes in several pieces; the cipher would copy them together anyway, by a slower way.
    this.#tls.write(Buffer.concat(chunks.map(({ chunk }) => chunk)))
    callback(this.#written())
  }

  override _final(callback: () => void): void {
    this.#tls.end()
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#tls.destroy()
    for (const { go } of this.#waiting.splice(0)) go()
    callback(error)
  }

  #room(): boolean {
    return this.#underWay + this.#tls.writableLength < BACKLOG_BYTES
  }

  #written(): Error | undefined {
    // Answers to a far end that asks (PING, SETTINGS) without ever reading would pile up without end.
    return this.#tls.writableLength > MAX_BACKLOG_BYTES ? new Error('the far end does not read') : undefined
  }

  #letThrough(bytes: number, go: () => void): void {
    if (this.#underWay === 0) {
      setImmediate(() => {
        this.#underWay = 0
        this.#release()
      })
    }
    this.#underWay += bytes
    go()
  }

  #release(): void {
    while (this.#room()) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#letThrough(next.bytes, next.go)
    }
  }
}
