import { UnreachableError } from '../../errors.ts'
import type { Asked } from '../../link/serve.ts'

/** Answers the requests of one topic. */
export type TopicHandler = (
  body: Buffer,
  from: { readonly key: Buffer; readonly remoteAddress: string | undefined },
) => Uint8Array | Promise<Uint8Array>

/** What peers may ask of this node, by topic: each part of the mesh brings its own. */
export class Topics {
  readonly #handlers = new Map<string, TopicHandler>()

  /** Answers a topic from now on, until the returned function is called. */
  serve(topic: string, handler: TopicHandler): () => void {
    if (this.#handlers.has(topic)) throw new RangeError(`somebody serves ${topic} already`)
    this.#handlers.set(topic, handler)
    return () => this.#handlers.delete(topic)
  }

  readonly answer = ({ topic, body, peerKey, remoteAddress }: Asked): Uint8Array | Promise<Uint8Array> => {
    const handler = this.#handlers.get(topic)
    if (handler === undefined) throw new UnreachableError('This node does not serve that.', { code: 'BEAM_ERR_NOT_FOUND', retry: 'never' })
    return handler(body, { key: peerKey, remoteAddress })
  }
}
