import type HyperDHT from 'hyperdht'
import { encodeKey, KEY_BYTES, nameTopic, type Found } from '../../../core/index.ts'
import { answers, type Sink } from './answers.ts'
import type { DhtNode } from './dht-node.ts'
import { recordOf } from './dht-record.ts'
import { openPunched } from './dht-stream.ts'

/** Answers for one key: the first record, a newer one, the way to a stream. More cannot come. */
const MAX_FOUND = 4
/** An honest node lists 20 at most. */
const MAX_CLAIMANTS_PER_NODE = 20
/** The 20 nodes that are nearest to a name mostly list the same claimants; a name with more of them is being flooded. */
const MAX_CLAIMANTS = 256
/** Nodes that told us the way and are asked first when a stream is opened: hyperdht's own number. */
const MAX_RELAYS = 3

type Limits = { readonly signal: AbortSignal }

/** What the DHT holds under a service key: its record, and the way to a hole-punched stream when somebody announces one. */
export function findInDht(node: DhtNode, source: string, serviceKey: Uint8Array, { signal }: Limits): AsyncIterable<Found> {
  return answers<Found>({ signal, limit: MAX_FOUND }, (sink) =>
    query(node, signal, sink, (dht, session) => {
      const key = Buffer.from(serviceKey)
      return [findRecord(dht, session, source, key, sink), findStream(node, dht, session, source, key, sink)]
    }),
  )
}

/** The keys that are announced under a name, each once. */
export function claimantsInDht(node: DhtNode, name: string, { signal }: Limits): AsyncIterable<Uint8Array> {
  return answers<Uint8Array>({ signal, limit: MAX_CLAIMANTS }, (sink) =>
    query(node, signal, sink, (dht, session) => [findClaimants(dht, session, name, sink)]),
  )
}

/** Runs queries side by side until all have ended; the returned function gives them up. A query that fails has found nothing. */
function query<T>(
  node: DhtNode,
  signal: AbortSignal,
  sink: Sink<T>,
  start: (dht: HyperDHT, session: HyperDHT.Session) => Promise<void>[],
): () => void {
  const ending = new AbortController()
  void node.ready(AbortSignal.any([signal, ending.signal])).then(async (dht) => {
    if (dht !== undefined) {
      const session = dht.session()
      const giveUp = (): void => session.destroy()
      ending.signal.addEventListener('abort', giveUp, { once: true })
      await Promise.allSettled(start(dht, session))
    }
    sink.end()
  })
  return () => ending.abort()
}

async function findRecord(dht: HyperDHT, session: HyperDHT.Session, source: string, key: Buffer, sink: Sink<Found>): Promise<void> {
  // The first valid answer at once; then whether any node has a newer one (most answer that with nothing, which is cheap).
  let seq = 0
  for (const latest of [false, true]) {
    const reply = await dht.mutableGet(key, { session, seq, latest })
    if (reply === null) return
    const record = recordOf(reply.value)
    if (record !== undefined) sink.push({ source, contacts: [], record })
    seq = reply.seq + 1
  }
}

async function findStream(
  node: DhtNode,
  dht: HyperDHT,
  session: HyperDHT.Session,
  source: string,
  key: Buffer,
  sink: Sink<Found>,
): Promise<void> {
  const relays: HyperDHT.HostAddress[] = []
  for await (const { from, peer } of dht.findPeer(key, { session })) {
    if (!key.equals(peer.publicKey)) continue
    relays.push({ host: from.host, port: from.port })
    if (relays.length === 1) {
      // `relays` grows while the other answers come in; whoever opens later knows more ways.
      sink.push({
        source,
        contacts: [
          {
            kind: 'stream',
            label: `udp hole punching to ${encodeKey('service', key).slice(0, 8)}`,
            open: ({ signal }) => openPunched(node, dht, key, { relays, signal }),
          },
        ],
      })
    }
    if (relays.length >= MAX_RELAYS) return
  }
}

async function findClaimants(dht: HyperDHT, session: HyperDHT.Session, name: string, sink: Sink<Uint8Array>): Promise<void> {
  const seen = new Set<string>()
  for await (const { peers } of dht.lookup(nameTopic(name), { session })) {
    for (const { publicKey } of peers.slice(0, MAX_CLAIMANTS_PER_NODE)) {
      const text = publicKey.toString('hex')
      if (publicKey.length !== KEY_BYTES || seen.has(text)) continue
      if (seen.size >= MAX_CLAIMANTS) return
      seen.add(text)
      sink.push(publicKey)
    }
  }
}
