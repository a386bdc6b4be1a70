import { Duplex } from 'node:stream'
import { resetStream } from '../../core/index.ts'
import { MemorySiteBackend, MemoryMessageBackend, type MemoryBackend } from '../../core/testing/index.ts'

/** Every kind of backend in one: messages, sites and keys besides streams. */
export class MemoryEverything extends MemoryMessageBackend {
  readonly #sites = new MemorySiteBackend({ network: this.network })

  publishSite(...args: Parameters<MemorySiteBackend['publishSite']>): ReturnType<MemorySiteBackend['publishSite']> {
    return this.#sites.publishSite(...args)
  }

  fetchSite(address: string, path: string): Promise<Uint8Array> {
    return this.#sites.fetchSite(address, path)
  }

  /** On a memory network the name is all that an address needs. */
  async exportKeys(name: string): Promise<Uint8Array | undefined> {
    return Buffer.from(name)
  }

  async importKeys(): Promise<void> {}
}

/** Methods that take the place of a backend's own. */
export type Flaw = Partial<Omit<MemoryEverything, never>>

/** A backend with some methods replaced. */
export function flawed<Backend extends MemoryBackend>(backend: Backend, flaw: Flaw): Backend {
  return new Proxy(backend, {
    get(target, key) {
      const value: unknown = Object.hasOwn(flaw, key) ? Reflect.get(flaw, key) : Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** What happens to a stream on its way. */
export interface Alteration {
  readonly toVisitor?: (chunk: Buffer) => Buffer
  readonly toService?: (chunk: Buffer) => Buffer
  /** The far end's reset is shown as an end. */
  readonly resetBecomesEnd?: boolean
  /** The visitor's reset is sent as an end. */
  readonly visitorResetBecomesEnd?: boolean
  /** The visitor's end closes both directions. */
  readonly noHalfClose?: boolean
  /** Takes everything in, however slowly it is read. */
  readonly hoards?: 'visitor' | 'service'
}

/** How much a hoarder takes in: more than the suite lets pass. */
const HOARD_BYTES = 40 * 1024 * 1024

/** A stream around another one that does not do what it should. */
export class AlteredStream extends Duplex {
  readonly #inner: Duplex
  readonly #alter: Alteration

  constructor(inner: Duplex, alter: Alteration) {
    super({ allowHalfOpen: true })
    this.#inner = inner
    this.#alter = alter
    this.on('error', () => {})
    inner.on('error', () => {})
    let hoarded = 0
    inner.on('data', (chunk: Buffer) => {
      const altered = alter.toVisitor?.(chunk) ?? chunk
      const more = altered.length === 0 || this.push(altered)
      hoarded += chunk.length
      if (!more && (alter.hoards !== 'visitor' || hoarded > HOARD_BYTES)) inner.pause()
    })
    inner.on('end', () => this.push(null))
    inner.on('close', () => {
      if (inner.readableEnded) return
      if (alter.resetBecomesEnd === true) this.push(null)
      else this.destroy(new Error('reset'))
    })
    if (alter.hoards !== 'visitor') inner.pause()
  }

  override _read(): void {
    this.#inner.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const altered = this.#alter.toService?.(chunk) ?? chunk
    if (this.#alter.hoards === 'service') {
      this.#inner.write(altered)
      callback()
    } else if (altered.length === 0) callback()
    else this.#inner.write(altered, () => callback())
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#inner.end()
    if (this.#alter.noHalfClose === true) this.push(null)
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const ended = this.readableEnded && this.writableFinished
    if (this.#alter.visitorResetBecomesEnd === true) this.#inner.end()
    else if (!ended || this.#alter.noHalfClose === true) resetStream(this.#inner, error ?? new Error('reset'))
    callback(error)
  }
}

/** Loses one byte, the one with this number. */
export function losesByte(number: number): (chunk: Buffer) => Buffer {
  let seen = 0
  return (chunk) => {
    const at = number - seen
    seen += chunk.length
    return at >= 0 && at < chunk.length ? Buffer.concat([chunk.subarray(0, at), chunk.subarray(at + 1)]) : chunk
  }
}

/** Replaces a text of the same length wherever a chunk holds it. */
export function replaces(text: string, by: string): (chunk: Buffer) => Buffer {
  return (chunk) => (chunk.includes(text) ? Buffer.from(chunk.toString('latin1').replaceAll(text, by), 'latin1') : chunk)
}
