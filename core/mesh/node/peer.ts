import type { OutgoingHttpHeaders } from 'node:http2'
import { encodeKey } from '../../identity/address.ts'
import { linkClosed } from '../../link/request.ts'
import type { Link } from '../../link/link.ts'
import type { LinkStream } from '../../link/link-stream.ts'

/** Who dialled. */
export type Direction = 'in' | 'out'

/**
 * Another node of the mesh, with which a link stands. Each side can ask the other and open streams to it: the dialler's link goes one way,
 * and the link inside it (turned round) goes the other.
 */
export class Peer {
  /** The node key that the far end proved. */
  readonly key: Buffer
  /** The same as text: 56 characters. */
  readonly id: string
  readonly direction: Direction
  /** Where it was dialled, when that was over TCP: it can be dialled there again. Sensitive. */
  readonly contact: { readonly host: string; readonly port: number } | undefined
  /** When the link came up, on the monotonic clock, in milliseconds. */
  readonly since: number
  /** Measured round trip, in milliseconds, once it was measured. */
  latencyMs: number | undefined
  /** The link that was dialled or accepted. */
  readonly #outer: Link
  /** The one on which this side opens streams. */
  readonly #ours: Link

  constructor(parts: {
    readonly outer: Link
    readonly ours: Link
    readonly direction: Direction
    readonly since: number
    readonly contact?: Peer['contact']
  }) {
    this.#outer = parts.outer
    this.#ours = parts.ours
    this.key = parts.outer.peerKey
    this.id = encodeKey('node', this.key)
    this.direction = parts.direction
    this.since = parts.since
    this.contact = parts.contact
  }

  get usable(): boolean {
    return this.#outer.usable && this.#ours.usable
  }

  /** The far end's network address, when the link runs over a socket. Sensitive. */
  get remoteAddress(): string | undefined {
    return this.#outer.remoteAddress
  }

  /** Streams that are open in either direction. */
  get openStreams(): number {
    return this.#ours === this.#outer ? this.#outer.openStreams : this.#outer.openStreams + this.#ours.openStreams
  }

  /**
   * A small request and its answer (at most 64 KiB each).
   * @throws UnreachableError, TimeoutError, ProtocolError
   */
  async ask(topic: string, body: Uint8Array, signal?: AbortSignal): Promise<Buffer> {
    const start = performance.now()
    const answer = await this.#ours.ask(topic, body, signal)
    const ms = performance.now() - start
    // The smallest seen for a while is the network's; the rest is work at the far end.
    this.latencyMs = this.latencyMs === undefined ? ms : Math.min(ms, this.latencyMs * 1.02)
    return answer
  }

  /** @throws UnreachableError (`BEAM_ERR_LINK_CLOSED`) */
  openStream(authority: string, headers?: OutgoingHttpHeaders): LinkStream {
    if (!this.usable) throw linkClosed('the peer is gone')
    return this.#ours.openStream(authority, headers)
  }

  close(reason: string): void {
    this.#outer.close({ reason })
  }

  /** Called once, when the peer is gone; at once when it is so already. */
  onClose(listener: (reason: string) => void): void {
    let told = false
    const once = (reason: string): void => {
      if (told) return
      told = true
      listener(reason)
    }
    this.#outer.onClose(once)
    if (this.#ours !== this.#outer) this.#ours.onClose(once)
  }
}
