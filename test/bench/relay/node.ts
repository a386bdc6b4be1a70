/**
 * One process of the relay bench. `relay`: a relay without limits. `publisher`: a service that answers a number of bytes that is asked for, to be
 * dialled and through relays. Prints `at KEY PORT`; takes nodes to link to, and relays to reserve at, as messages.
 */
import {
  encodeRequest,
  generateIdentity,
  MeshNode,
  proveService,
  RelayService,
  RESERVE_TOPIC,
  silentLogger,
  StreamRouter,
  systemClock,
} from '../../../core/index.ts'
import { LinkListener, type LinkStream } from '../../../core/link/index.ts'
import type { Place } from './measure.ts'

const HOUR_MS = 3_600_000
const CHUNK = Buffer.alloc(64 << 10, 'x')
const UNLIMITED = {
  streams: 4096,
  streamsPerPeer: 4096,
  bytesPerSecond: Number.MAX_SAFE_INTEGER,
  bytesPerSecondPerPeer: Number.MAX_SAFE_INTEGER,
  bytesPerDayPerPeer: Number.MAX_SAFE_INTEGER,
  reservations: 64,
  reservationMs: HOUR_MS,
}

const identity = generateIdentity()
const clock = systemClock
const logger = silentLogger
const node = new MeshNode({ identity, clock, logger, listen: { host: '127.0.0.1', port: 0 } })
const where = await node.listen()
const router = new StreamRouter(node)

/** Eight bytes say how many are wanted; with none, what follows is sent back. */
function serve(stream: LinkStream): void {
  stream.on('error', () => {})
  stream.once('data', (first: Buffer) => {
    let left = Number(first.readBigUInt64BE(0))
    if (left === 0) {
      stream.write(first.subarray(8))
      stream.pipe(stream)
      return
    }
    const more = (): void => {
      while (left > 0) {
        const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length))
        left -= chunk.length
        if (!stream.write(chunk)) return void stream.once('drain', more)
      }
      stream.end()
    }
    more()
  })
}

async function link({ key, port }: Place): Promise<void> {
  const peer = await node.connect({ host: '127.0.0.1', port }, Buffer.from(key, 'hex'))
  if (service === undefined) return
  const proof = proveService(service, { relay: Buffer.from(key, 'hex'), node: identity.publicKey, until: Date.now() + HOUR_MS })
  await peer.ask(RESERVE_TOPIC, encodeRequest([proof]))
}

const service = process.argv[2] === 'publisher' ? generateIdentity() : undefined
if (service === undefined) {
  router.relay = new RelayService({ node, nodeKey: identity.publicKey, limits: UNLIMITED, clock, logger })
  console.log(`at ${Buffer.from(identity.publicKey).toString('hex')} ${where?.port}`)
} else {
  const listener = new LinkListener({ host: '127.0.0.1', port: 0, identity: service, logger, judge: () => undefined, onStream: serve })
  const { port } = await listener.listen()
  router.answerFor(service.publicKey, (carrier) => listener.accept(carrier))
  console.log(`at ${Buffer.from(service.publicKey).toString('hex')} ${port}`)
}
process.on('message', (place: Place) => void link(place).then(() => process.send?.('linked')))
process.on('disconnect', () => process.exit(0))
