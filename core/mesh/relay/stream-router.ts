import type { Duplex } from 'node:stream'
import type { LinkStream } from '../../link/link-stream.ts'
import type { Refusal } from '../../link/refusal.ts'
import { encodeKey } from '../../identity/address.ts'
import type { MeshNode, StreamService } from '../node/mesh-node.ts'
import { serveMeetings } from './meet.ts'

const NOT_HERE: Refusal = { status: 404, code: 'BEAM_ERR_NOT_FOUND', message: 'This node carries no streams for others.' }

/**
 * What becomes of the streams that peers open to a node: those to itself carry a link to it, those to a service that it publishes carry a
 * link to that service, and the rest goes to its relay, if it is one.
 */
export class StreamRouter implements StreamService {
  readonly #node: MeshNode
  readonly #services = new Map<string, (carrier: Duplex) => void>()
  relay: StreamService | undefined

  constructor(node: MeshNode) {
    this.#node = node
    node.carry(this)
    serveMeetings(node, (authority) => (authority === node.id ? (carrier) => node.accept(carrier) : this.#services.get(authority)))
  }

  /** Takes the links to a service that come through others, until the returned function is called. */
  answerFor(serviceKey: Uint8Array, take: (carrier: Duplex) => void): () => void {
    const authority = encodeKey('service', serviceKey)
    this.#services.set(authority, take)
    return () => this.#services.delete(authority)
  }

  judge(...[authority, from, headers]: Parameters<StreamService['judge']>): Refusal | undefined {
    if (authority === this.#node.id || this.#services.has(authority)) return undefined
    return this.relay === undefined ? NOT_HERE : this.relay.judge(authority, from, headers)
  }

  take(stream: LinkStream, from: Buffer): void {
    const service = this.#services.get(stream.authority)
    if (stream.authority === this.#node.id) this.#node.accept(stream)
    else if (service !== undefined) service(stream)
    else if (this.relay !== undefined) this.relay.take(stream, from)
    else stream.refuse(NOT_HERE)
  }
}
