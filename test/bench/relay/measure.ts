import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { dialThroughRelays, generateIdentity, silentLogger, type Link } from '../../../core/index.ts'
import { dialLink, type LinkStream } from '../../../core/link/index.ts'
import { median } from '../../../plugins/benchmark/statistics.ts'
import type { Child, Children } from '../children.ts'
import { startScript } from '../load/load-process.ts'

const NODE = fileURLToPath(new URL('node.ts', import.meta.url))
/** Round trips whose median counts, after some that do not. */
const ROUND_TRIPS = 300
const WARM_UP = 50
const ASKED_BYTES = 64

/** Where a process of the bench is. */
export interface Place {
  /** Hexadecimal. */
  readonly key: string
  readonly port: number
}

/** What one way gave. */
export interface Way {
  /** Bytes per second of one stream. */
  readonly bytesPerSecond: number
  /** From the first packet to the first byte of the service, in milliseconds. */
  readonly firstByteMs: number
  /** Median round trip of 64 bytes on a stream that is open. */
  readonly roundTripMs: number
}

/** A service and two relays, each in a process of its own. */
export interface Scene {
  readonly service: Place
  readonly relays: readonly [Place, Place]
}

/** Starts them; the second relay holds the service, the first leads to it and holds it too. */
export async function startScene(children: Children): Promise<Scene> {
  const start = async (role: string): Promise<{ child: Child; place: Place }> => {
    const child = await startScript(children, NODE, [role], true)
    const [, key = '', port] = await child.waitFor(/at ([0-9a-f]{64}) (\d+)/)
    return { child, place: { key, port: Number(port) } }
  }
  const [first, second, publisher] = [await start('relay'), await start('relay'), await start('publisher')]
  const link = async ({ child }: { child: Child }, to: { place: Place }): Promise<void> => {
    child.process.send(to.place)
    await once(child.process, 'message')
  }
  await link(first, second)
  await link(publisher, first)
  await link(publisher, second)
  return { service: publisher.place, relays: [first.place, second.place] }
}

/** Measures the way through so many relays. */
export async function measureWay({ service, relays }: Scene, hops: number, bytes: number): Promise<Way> {
  const begin = performance.now()
  await using way = await open(service, hops === 0 ? [] : hops === 1 ? [relays[1]] : relays)
  const { link } = way
  const echo = link.openStream('service')
  await exchange(echo, Buffer.alloc(8 + ASKED_BYTES), ASKED_BYTES)
  const firstByteMs = performance.now() - begin
  const times: number[] = []
  for (let count = 0; count < WARM_UP + ROUND_TRIPS; count++) {
    const start = performance.now()
    await exchange(echo, Buffer.alloc(ASKED_BYTES), ASKED_BYTES)
    if (count >= WARM_UP) times.push(performance.now() - start)
  }
  echo.end()
  const bulk = link.openStream('service')
  const asked = Buffer.alloc(8)
  asked.writeBigUInt64BE(BigInt(bytes))
  const start = performance.now()
  await exchange(bulk, asked, bytes)
  const seconds = (performance.now() - start) / 1000
  return { bytesPerSecond: bytes / seconds, firstByteMs, roundTripMs: median(times) }
}

async function open(service: Place, relays: readonly Place[]): Promise<{ link: Link } & AsyncDisposable> {
  const key = Buffer.from(service.key, 'hex')
  const hops = relays.map(({ key: relay, port }, index) => ({
    key: Buffer.from(relay, 'hex'),
    ...(index === 0 ? { contact: { host: '127.0.0.1', port } } : {}),
  }))
  const { carrier: to, side } =
    hops.length === 0
      ? { carrier: { host: '127.0.0.1', port: service.port } }
      : await dialThroughRelays(hops, { service: key }, { logger: silentLogger })
  const { link } = await dialLink({
    to,
    ...(side !== undefined && { side }),
    expectedKey: key,
    identity: generateIdentity(),
    logger: silentLogger,
  })
  return { link, [Symbol.asyncDispose]: async () => link.close() }
}

/** Writes, and reads as many bytes as are expected. */
function exchange(stream: LinkStream, bytes: Buffer, expected: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = expected
    const onData = (chunk: Buffer): void => {
      left -= chunk.length
      if (left > 0) return
      stream.off('data', onData).off('error', reject)
      resolve()
    }
    stream.on('data', onData).once('error', reject)
    stream.write(bytes)
  })
}
