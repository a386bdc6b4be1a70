import type { MessageNetwork } from '../powers.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import { ConfigError } from '../errors.ts'
import { MemoryBackend } from './memory-backend.ts'

/** As large as a Veilid message, the smallest of the networks that Beam knows. */
const MAX_MESSAGE_BYTES = 32_768

/**
 * A {@link MemoryBackend} that also carries single messages, in no particular order: each takes a random way of up to a few turns of the
 * event loop, so that what relies on an order fails soon.
 */
export class MemoryMessageBackend extends MemoryBackend implements MessageNetwork {
  readonly maxMessageBytes = MAX_MESSAGE_BYTES
  readonly #handlers = new Set<(message: Uint8Array, replyTo: string | undefined) => void>()

  override getCapabilities(): BackendCapabilities {
    return { ...super.getCapabilities(), delivery: 'message' }
  }

  async send(address: string, message: Uint8Array, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    if (message.length > this.maxMessageBytes) {
      throw new ConfigError(`A message has ${message.length} bytes; this network carries ${this.maxMessageBytes} at most.`)
    }
    const listener = this.network.listener(address)
    const copy = Uint8Array.from(message)
    deferTurns(Math.floor(Math.random() * 4), () => listener.message?.(copy, undefined))
  }

  onMessage(handler: (message: Uint8Array, replyTo: string | undefined) => void): () => void {
    this.#handlers.add(handler)
    return () => void this.#handlers.delete(handler)
  }

  protected override receive(message: Uint8Array, replyTo: string | undefined): void {
    for (const handler of this.#handlers) handler(message, replyTo)
  }
}

function deferTurns(turns: number, fn: () => void): void {
  setImmediate(() => (turns === 0 ? fn() : deferTurns(turns - 1, fn)))
}
