import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Which side says all it has to say, and ends its direction, first. */
export const ORDERS = [
  'both at once',
  'the visitor ends, then the service answers',
  'the service ends, then the visitor sends',
  'the visitor says nothing and ends',
  'the service says nothing and ends',
] as const

export type Order = (typeof ORDERS)[number]

/** Bytes and digest of one direction. */
export interface Tally {
  readonly bytes: number
  readonly sha256: string
}

/** What went in at one end and came out at the other. */
export interface Passage {
  readonly sent: Tally
  readonly received: Tally
}

/** What to send each way, who reads slowly. */
export interface TransferOptions {
  readonly order: Order
  readonly bytes: number
  readonly slow: 'visitor' | 'service'
}

/** A server whose connections are taken one by one. */
export interface TransferService {
  readonly server: Server
  accept(): Promise<Socket>
}

/** A slow reader begins late, when every buffer on the way has had the time to fill. */
const BEGIN_AFTER_MS = 300
/** It then sleeps a millisecond after so many bytes: behind what the sender can do, and fast enough for a test. */
const SLEEP_AFTER_BYTES = 250_000
/** Written at a time: no power of two, so that its edges meet those of no buffer. */
const CHUNK_BYTES = 100_003

/** The service at the far end of the tunnel. */
export function transferService(): TransferService {
  const waiting: Array<(socket: Socket) => void> = []
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    // A probe is no visitor: it ends without anybody who waits for it.
    const take = waiting.shift()
    if (take === undefined) socket.destroy()
    else take(socket)
  })
  return { server, accept: () => new Promise((resolve) => waiting.push(resolve)) }
}

/** Sends random bytes in both directions of one connection to `port`, and tells what was sent and what arrived. */
export async function transfer(
  port: number,
  service: TransferService,
  { order, bytes, slow }: TransferOptions,
): Promise<{ up: Passage; down: Passage }> {
  const accepted = service.accept()
  const visitor = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const far = await accepted
  const failed = Promise.race(
    [visitor, far].map(async (socket) => Promise.reject(await once(socket, 'error').then(([error]) => error as Error))),
  )
  failed.catch(() => {})
  const said = {
    visitor: order.startsWith('the visitor says nothing') ? 0 : bytes,
    service: order.startsWith('the service says nothing') ? 0 : bytes,
  }
  const heard = Promise.all([receive(far, slow === 'service'), receive(visitor, slow === 'visitor')])
  const ended = { visitor: once(far, 'end'), service: once(visitor, 'end') }
  const sent = async (): Promise<[Tally, Tally]> => {
    if (order.startsWith('the visitor')) {
      const up = await send(visitor, said.visitor)
      await ended.visitor
      return [up, await send(far, said.service)]
    }
    if (order.startsWith('the service')) {
      const down = await send(far, said.service)
      await ended.service
      return [await send(visitor, said.visitor), down]
    }
    return Promise.all([send(visitor, said.visitor), send(far, said.service)])
  }
  const [[up, down], [upHeard, downHeard]] = await Promise.race([Promise.all([sent(), heard]), failed])
  visitor.destroy()
  far.destroy()
  return { up: { sent: up, received: upHeard }, down: { sent: down, received: downHeard } }
}

async function send(socket: Socket, bytes: number): Promise<Tally> {
  const hash = createHash('sha256')
  const source = randomBytes(CHUNK_BYTES)
  for (let left = bytes; left > 0;) {
    // Every chunk differs: one that is lost, doubled or moved shows.
    source.writeUInt32LE(left)
    const chunk = Buffer.from(source.subarray(0, Math.min(left, CHUNK_BYTES)))
    left -= chunk.length
    hash.update(chunk)
    if (!socket.write(chunk)) await once(socket, 'drain')
  }
  socket.end()
  return { bytes, sha256: hash.digest('hex') }
}

async function receive(socket: Socket, slowly: boolean): Promise<Tally> {
  const hash = createHash('sha256')
  let bytes = 0
  let sinceSleep = 0
  if (slowly) await new Promise((resolve) => setTimeout(resolve, BEGIN_AFTER_MS))
  // Without destroying it at the end: the other direction goes on.
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
    sinceSleep += chunk.length
    if (!slowly || sinceSleep < SLEEP_AFTER_BYTES) continue
    sinceSleep = 0
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return { bytes, sha256: hash.digest('hex') }
}
