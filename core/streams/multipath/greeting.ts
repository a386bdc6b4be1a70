import type { Duplex } from 'node:stream'
import { MemoryStream } from '../memory-stream.ts'
import { resetStream } from '../reset.ts'
import { MAX_GREETING_BYTES } from './preamble.ts'

/** What the services of one tunnel said to visitors who are silent, together: more is not remembered. */
const MAX_REMEMBERED_BYTES = 32 * 1024 * 1024

/** Memory that the greetings of a tunnel share. */
export interface GreetingMemory {
  bytes: number
}

/**
 * The service's side of a visitor who has not said anything yet: the service is connected at once, because it may be the one that speaks
 * first, and its words go to the visitor as they come. What it said is remembered, in case the visitor turns out to be a path of a
 * multipath stream, to which they are said again in order.
 */
export class Greeting {
  /** The end that the service is given. */
  readonly service: Duplex
  readonly #near: Duplex
  readonly #visitor: Duplex
  readonly #memory: GreetingMemory
  #said: Buffer[] | undefined = []
  #saidBytes = 0
  #ended = false

  constructor(visitor: Duplex, memory: GreetingMemory) {
    this.#memory = memory
    const [near, far] = MemoryStream.pair()
    this.#near = near
    this.service = far
    this.#visitor = visitor
    near.on('error', () => {})
    far.on('error', () => {})
    near.on('data', this.#onData)
    near.on('end', this.#onEnd)
    near.on('close', this.#onClose)
    visitor.on('drain', this.#onDrain)
  }

  /** Whether all that was said is remembered, and the service has not ended. */
  get repeatable(): boolean {
    return this.#said !== undefined && !this.#ended && !this.#near.destroyed
  }

  /** Whether the service has ended and the visitor was told so, and everything before it. */
  get over(): boolean {
    return this.#ended && this.#said !== undefined
  }

  /** Hands this side over, as it is: an ordinary visitor goes on where it is. */
  release(): Duplex {
    this.#detach()
    return this.#near
  }

  /** Hands this side over with everything that was said put back. */
  repeat(): Duplex {
    const said = Buffer.concat(this.#said ?? [])
    this.#detach()
    if (said.length > 0) this.#near.unshift(said)
    return this.#near
  }

  /** Nobody needs the service. An end and not a reset: many a small service falls over a reset that it does not expect. */
  dismiss(): void {
    this.#detach()
    this.#near.resume()
    this.#near.end()
  }

  #detach(): void {
    this.#forget()
    const near = this.#near
    near.pause()
    near.off('data', this.#onData)
    near.off('end', this.#onEnd)
    near.off('close', this.#onClose)
    this.#visitor.off('drain', this.#onDrain)
  }

  #forget(): void {
    this.#said = undefined
    this.#memory.bytes -= this.#saidBytes
    this.#saidBytes = 0
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#said !== undefined) {
      this.#saidBytes += chunk.length
      this.#memory.bytes += chunk.length
      this.#said.push(chunk)
      if (this.#saidBytes > MAX_GREETING_BYTES || this.#memory.bytes > MAX_REMEMBERED_BYTES) this.#forget()
    }
    if (!this.#visitor.write(chunk)) this.#near.pause()
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#visitor.end()
  }

  readonly #onClose = (): void => {
    this.#forget()
    if (!this.#near.readableEnded) resetStream(this.#visitor, new Error('the service broke off'))
  }

  readonly #onDrain = (): void => {
    this.#near.resume()
  }
}
