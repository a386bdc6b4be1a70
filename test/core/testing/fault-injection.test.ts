import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { TunnelEvent } from '../../../core/index.ts'
import {
  faulty,
  MemoryBackend,
  MemoryMessageBackend,
  MemoryNetwork,
  PROMISE_IDS,
  runConformance,
  seededRandom,
  type Faults,
  type Faulty,
} from '../../../core/testing/index.ts'

interface Ends {
  readonly publisher: Faulty<MemoryBackend>
  readonly visitor: Faulty<MemoryBackend>
  readonly address: string
  readonly events: TunnelEvent[]
  readonly incoming: Duplex[]
}

/** A tunnel that echoes; the faults are the visitor's. */
async function ends(faults: Faults = {}): Promise<Ends> {
  const network = new MemoryNetwork()
  const publisher = faulty(new MemoryBackend({ network }))
  const visitor = faulty(new MemoryBackend({ network }), faults)
  const events: TunnelEvent[] = []
  const incoming: Duplex[] = []
  const { endpoints } = await publisher.startTunnel(9, {
    onEvent: (event) => events.push(event),
    onStream: (stream) => {
      incoming.push(stream)
      stream.on('error', () => {})
      stream.pipe(stream)
    },
  })
  return { publisher, visitor, address: endpoints[0]?.address ?? '', events, incoming }
}

/** An error comes before 'close'; `events.once` would take it for a failure of the test. */
function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.on('error', () => {}).once('close', resolve))
}

/** What comes back, and whether the stream ended properly. */
async function exchange(stream: Duplex, data: Buffer): Promise<{ bytes: number; ended: boolean }> {
  let bytes = 0
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
  const done = closed(stream)
  stream.end(data)
  await done
  return { bytes, ended: stream.readableEnded }
}

describe('faulty()', () => {
  it('keeps every promise that the backend keeps while nothing is switched on', { timeout: 60_000 }, async () => {
    const network = new MemoryNetwork()
    const create = (): Faulty<MemoryBackend> => faulty(new MemoryBackend({ network }))
    const sizes = { resets: 50, bulkBytes: 1024 * 1024 }
    const { promises } = await runConformance({ name: 'faulty', create, pair: create, timeScale: 0.5, sizes }, { only: PROMISE_IDS })
    expect(promises.filter(({ result }) => result === 'broken')).toEqual([])
    expect(promises.filter(({ result }) => result === 'skipped').map(({ id }) => id)).toEqual([
      'isolation',
      'domain-unsupported',
      'keys-move',
      'message-exact',
      'message-size-limit',
      'message-unsubscribe',
      'site-published',
      'site-abort',
    ])
  })

  it('drops the same dials for the same seed', async () => {
    const pattern = async (seed: number): Promise<boolean[]> => {
      const { visitor, address } = await ends({ seed, drop: 0.5 })
      const results: boolean[] = []
      for (let count = 0; count < 32; count += 1)
        results.push(
          await visitor.dial(address).then(
            () => true,
            () => false,
          ),
        )
      return results
    }
    expect(await pattern(3)).toEqual(await pattern(3))
    expect(await pattern(3)).not.toEqual(await pattern(4))
    expect(new Set(await pattern(3)).size).toBe(2)
  })

  it('delays dials and bytes, and keeps their order', async () => {
    const { visitor, address } = await ends({ delayMs: [10, 30] })
    const start = performance.now()
    const stream = await visitor.dial(address)
    expect(performance.now() - start).toBeGreaterThanOrEqual(9)
    const data = Buffer.from(Array.from({ length: 32 }, (_, index) => index))
    for (const byte of data) stream.write(Buffer.of(byte))
    stream.end()
    expect(Buffer.concat(await stream.toArray())).toEqual(data)
    expect(performance.now() - start).toBeGreaterThanOrEqual(29)
  })

  it('resets a stream after so many bytes', async () => {
    const { visitor, address, incoming } = await ends({ resetAfterBytes: 100_000 })
    const { bytes, ended } = await exchange(await visitor.dial(address), Buffer.alloc(500_000))
    expect(ended).toBe(false)
    expect(bytes).toBeLessThan(500_000)
    await expect.poll(() => incoming[0]?.destroyed).toBe(true)
    expect(incoming[0]?.readableEnded).toBe(false)
  })

  it('cuts a stream short as if it were complete', async () => {
    const { visitor, address } = await ends({ truncateAfterBytes: 70_000 })
    expect(await exchange(await visitor.dial(address), Buffer.alloc(500_000))).toEqual({ bytes: 70_000, ended: true })
  })

  it('fails to come up, and to start tunnels, while that is switched on', async () => {
    const { publisher } = await ends()
    publisher.faults.set({ failInitialize: true, failStart: true })
    await expect(publisher.initialize()).rejects.toMatchObject({ kind: 'unavailable' })
    await expect(publisher.startTunnel(3000)).rejects.toMatchObject({ kind: 'unavailable' })
    publisher.faults.set({ failInitialize: undefined, failStart: undefined })
    expect(publisher.faults.current).toEqual({})
    await publisher.initialize()
    await publisher.startTunnel(3000)
  })

  it('goes down and up again: streams, dials, status and events say so', async () => {
    const { publisher, visitor, address, events } = await ends()
    const stream = await visitor.dial(address)
    const broken = closed(stream)
    publisher.faults.set({ down: true })
    await broken
    expect(stream.readableEnded).toBe(false)
    await closed(await visitor.dial(address))
    const status = await publisher.getStatus()
    expect([status.state, status.tunnels[0]?.endpoints[0]?.state]).toEqual(['failed', 'down'])
    await expect(publisher.dial(address)).rejects.toMatchObject({ kind: 'unavailable' })

    publisher.faults.clear()
    expect(events.filter(({ type }) => type === 'state').map((event) => 'state' in event && event.state)).toEqual([
      'active',
      'down',
      'active',
    ])
    expect((await exchange(await visitor.dial(address), Buffer.from('again'))).bytes).toBe(5)
  })

  it('loses messages by chance', async () => {
    const network = new MemoryNetwork()
    const receiver = new MemoryMessageBackend({ network })
    const sender = faulty(new MemoryMessageBackend({ network }), { drop: 0.5 })
    const { endpoints } = await receiver.startTunnel(9)
    let heard = 0
    receiver.onMessage(() => (heard += 1))
    for (let count = 0; count < 100; count += 1) await sender.send(endpoints[0]?.address ?? '', Buffer.from('x'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const random = seededRandom(1)
    expect(heard).toBe(Array.from({ length: 100 }, () => random() >= 0.5).filter(Boolean).length)
  })
})
