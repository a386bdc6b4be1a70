import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { StreamHandler } from '../../../../core/backend.ts'
import { systemClock } from '../../../../core/clock.ts'
import {
  MultipathAcceptor,
  openMultipath,
  WindowBudget,
  type MultipathStream,
  type Route,
} from '../../../../core/streams/multipath/index.ts'
import { faulty, type Faulty } from '../../../../core/testing/fault-injection.ts'
import { MemoryBackend } from '../../../../core/testing/memory-backend.ts'
import type { Faults } from '../../../../core/testing/fault-control.ts'

/** A tunnel on several networks with faults, whose publisher joins multipath streams. */
export interface Stage extends AsyncDisposable {
  readonly networks: ReadonlyArray<Faulty<MemoryBackend>>
  readonly addresses: readonly string[]
  readonly acceptor: MultipathAcceptor
  /** An ordinary visitor's stream on one network. */
  dial(index: number): Promise<Duplex>
  open(options?: { onPath?: (label: string, change: string) => void; signal?: AbortSignal }): Promise<MultipathStream>
}

export async function stage(handler: StreamHandler, faults: readonly Faults[]): Promise<Stage> {
  const acceptor = new MultipathAcceptor({ handler })
  const networks = faults.map((one, index) => faulty(new MemoryBackend({ name: `net${index}` }), one))
  const addresses: string[] = []
  for (const network of networks) {
    const { endpoints } = await network.startTunnel(80, { onStream: acceptor.handle })
    addresses.push(endpoints[0]?.address ?? '')
  }
  const routes: Route[] = networks.map((network, index) => ({
    label: network.name,
    dial: ({ signal }) => network.dial(addresses[index] ?? '', { signal }),
  }))
  const budget = new WindowBudget()
  return {
    networks,
    addresses,
    acceptor,
    dial: async (index) => (networks[index] as Faulty<MemoryBackend>).dial(addresses[index] ?? ''),
    open: (options = {}) => openMultipath({ routes, clock: systemClock, budget, ...options }),
    async [Symbol.asyncDispose]() {
      acceptor.close()
      for (const network of networks) {
        network.faults.clear()
        await network[Symbol.asyncDispose]()
      }
    },
  }
}

/** Echoes what comes. */
export const echo: StreamHandler = (stream) => {
  stream.on('error', () => {})
  stream.pipe(stream)
}

/** Sends random bytes to whoever says something, and their hash first. */
export function source(bytes: number): StreamHandler {
  return (stream) => {
    stream.on('error', () => {})
    const block = randomBytes(1 << 20)
    const blocks = Math.ceil(bytes / block.length)
    const hash = createHash('sha256')
    for (let index = 0; index < blocks; index++) hash.update(block)
    let sent = 0
    const go = (): void => {
      if (sent === 0) stream.write(hash.digest())
      while (sent < blocks) {
        sent += 1
        if (!stream.write(block)) {
          stream.once('drain', go)
          return
        }
      }
      stream.end()
    }
    stream.once('data', go)
    stream.on('end', () => {})
  }
}

/** Reads a source to its end: whether the bytes are those that were sent, and the longest time without any. */
export async function readSource(
  stream: Duplex,
  onBytes: (bytes: number) => void = () => {},
): Promise<{ exact: boolean; bytes: number; longestGapMs: number }> {
  const hash = createHash('sha256')
  let expected = Buffer.alloc(0)
  let bytes = 0
  let longestGapMs = 0
  let last = performance.now()
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const now = performance.now()
    longestGapMs = Math.max(longestGapMs, now - last)
    last = now
    let rest = chunk
    if (expected.length < 32) {
      const head = chunk.subarray(0, 32 - expected.length)
      expected = Buffer.concat([expected, head])
      rest = chunk.subarray(head.length)
    }
    hash.update(rest)
    bytes += rest.length
    onBytes(bytes)
  }
  return { exact: hash.digest().equals(expected), bytes, longestGapMs }
}
