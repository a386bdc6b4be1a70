import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { generateIdentity, silentLogger, type Identity } from '../../../core/index.ts'
import { dialLink, LinkListener, type DialledLink, type LinkListenerOptions, type LinkStream } from '../../../core/link/index.ts'

/** A listener on loopback and what its far end sees. */
export interface Pair extends AsyncDisposable {
  readonly listener: LinkListener
  readonly port: number
  readonly service: Identity
  /** Streams that arrived, in order. */
  readonly arrived: LinkStream[]
  dial(to?: Duplex): Promise<DialledLink>
}

export async function listenForPair(options: Partial<LinkListenerOptions> = {}): Promise<Pair> {
  const service = generateIdentity()
  const arrived: LinkStream[] = []
  const dialled: DialledLink[] = []
  const listener = new LinkListener({
    host: '127.0.0.1',
    identity: service,
    logger: silentLogger,
    judge: () => undefined,
    onStream: (stream) => {
      stream.on('error', () => {})
      arrived.push(stream)
    },
    ...options,
  })
  const { port } = await listener.listen()
  return {
    listener,
    port,
    service,
    arrived,
    async dial(to) {
      const link = await dialLink({
        to: to ?? { host: '127.0.0.1', port },
        expectedKey: service.publicKey,
        identity: generateIdentity(),
        logger: silentLogger,
      })
      dialled.push(link)
      return link
    },
    async [Symbol.asyncDispose]() {
      for (const { link } of dialled) link.close()
      await listener[Symbol.asyncDispose]()
    },
  }
}

/** An opened stream and its far end. */
export async function streamPair(pair: Pair, dialled: DialledLink): Promise<{ near: LinkStream; far: LinkStream }> {
  const count = pair.arrived.length
  const near = dialled.link.openStream('service')
  near.on('error', () => {})
  while (pair.arrived.length === count) await new Promise((resolve) => setImmediate(resolve))
  return { near, far: pair.arrived[count] as LinkStream }
}

/** Reads to the end by events; rejects when the stream breaks. */
export async function collect(stream: Duplex, pauseEvery = 0): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    if (pauseEvery === 0 || chunks.length % pauseEvery !== 0) return
    stream.pause()
    setTimeout(() => stream.resume(), 1)
  })
  stream.resume()
  await once(stream, 'end')
  return Buffer.concat(chunks)
}
