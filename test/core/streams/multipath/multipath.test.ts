import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../../../../core/clock.ts'
import { openMultipath, WindowBudget } from '../../../../core/streams/multipath/index.ts'
import { on, readAll } from './on-stage.ts'
import { echo, readSource, source } from './stage.ts'

const MIB = 1 << 20

describe('a multipath stream', () => {
  it('carries bytes both ways over two paths, with half-close', async () => {
    const { open: openStream } = await on(echo, [{ delayMs: 2 }, { delayMs: 3 }])
    const stream = await openStream()
    const sent = randomBytes(3 * MIB)
    stream.end(sent)
    expect((await readAll(stream)).equals(sent)).toBe(true)
  })

  it('is one stream for the service', async () => {
    const seen: Duplex[] = []
    const { open: openStream } = await on(
      (stream, visitor) => {
        seen.push(stream)
        echo(stream, visitor)
      },
      [{ delayMs: 1 }, { delayMs: 2 }, { delayMs: 3 }],
    )
    const stream = await openStream()
    await expect.poll(() => stream.paths.length).toBe(3)
    stream.end('hello')
    expect((await readAll(stream)).toString()).toBe('hello')
    // The service was connected for visitors who wait for it to speak; those connections ended without a word.
    const spoken = seen.filter((one) => 'paths' in one || (one as { bytesRead?: number }).bytesRead !== 0)
    expect(spoken).toHaveLength(1)
  })

  it.each<[string, { down?: boolean; silent?: boolean }]>([
    ['dies', { down: true }],
    ['falls silent', { silent: true }],
  ])('goes on byte for byte when a path %s in the middle of 64 MiB', async (_, fault) => {
    const { open: openStream, networks } = await on(source(64 * MIB), [
      { bytesPerSecond: 60e6, delayMs: 2 },
      { bytesPerSecond: 60e6, delayMs: 2 },
    ])
    const changes: string[] = []
    const stream = await openStream({ onPath: (label, change) => changes.push(`${label} ${change}`) })
    stream.end('go')
    let done = false
    const outcome = await readSource(stream, (bytes) => {
      if (!done && bytes >= 20 * MIB) networks[0]?.faults.set(fault)
      done ||= bytes >= 20 * MIB
    })
    expect(outcome).toMatchObject({ exact: true, bytes: 64 * MIB })
    if (fault.down === true) expect(changes).toContain('net0 closed')
  })

  it('uploads byte for byte when a path dies', async () => {
    const { open: openStream, networks } = await on(
      (stream) => {
        stream.on('error', () => {})
        const hash = createHash('sha256')
        stream.on('data', (chunk: Buffer) => hash.update(chunk))
        stream.on('end', () => stream.end(hash.digest()))
      },
      [
        { bytesPerSecond: 30e6, delayMs: 2 },
        { bytesPerSecond: 30e6, delayMs: 2 },
      ],
    )
    const stream = await openStream()
    const block = randomBytes(MIB)
    const hash = createHash('sha256')
    for (let index = 0; index < 24; index++) {
      hash.update(block)
      if (!stream.write(block)) await once(stream, 'drain')
      if (index === 8) networks[1]?.faults.set({ down: true })
    }
    stream.end()
    expect((await readAll(stream)).equals(hash.digest())).toBe(true)
  })

  it('survives the loss of all paths when one comes back soon', async () => {
    const { open: openStream, networks } = await on(echo, [{}, {}])
    const stream = await openStream()
    stream.write('before ')
    await once(stream, 'data')
    for (const network of networks) network.faults.set({ down: true })
    stream.write('after')
    await expect.poll(() => stream.paths.length).toBe(0)
    for (const network of networks) network.faults.set({ down: false })
    stream.end()
    expect((await readAll(stream)).toString()).toBe('after')
  })

  it('asks every path at once when the last one dies, however long ago it was to be asked again', async () => {
    const { networks, addresses } = await on(echo, [{}, { drop: 1 }])
    // Whoever waits for a path that was lost waits for ever.
    const clock: Clock = {
      ...systemClock,
      after: (ms, run, options) => (options?.unref === true ? () => {} : systemClock.after(ms, run, options)),
    }
    const routes = networks.map((network, index) => ({ label: network.name, dial: () => network.dial(addresses[index] ?? '') }))
    const stream = await openMultipath({ routes, clock, budget: new WindowBudget() })
    stream.write('one')
    expect(String((await once(stream, 'data'))[0])).toBe('one')
    networks[1]?.faults.clear()
    networks[0]?.faults.set({ down: true })
    stream.end('two')
    expect(String((await once(stream, 'data'))[0])).toBe('two')
  })

  it('passes a reset on as a reset in both directions', async () => {
    let service: Duplex | undefined
    const { open: openStream } = await on(
      (stream) => {
        stream.on('error', () => {})
        stream.resume()
        service = stream
      },
      [{}, {}],
    )
    const first = await openStream()
    first.write('x')
    await expect.poll(() => service !== undefined).toBe(true)
    service?.destroy(new Error('enough'))
    await expect.poll(() => first.errored?.message).toMatch(/reset/)
    expect(first.readableEnded).toBe(false)

    service = undefined
    const second = await openStream()
    second.write('x')
    await expect.poll(() => service !== undefined && second.paths.some(({ deliveredBytes }) => deliveredBytes > 0)).toBe(true)
    second.destroy()
    await expect.poll(() => (service as Duplex | undefined)?.errored?.message).toMatch(/reset/)
  })

  it('holds the sender back when the reader is slow, whatever the number of paths', async () => {
    let sent = 0
    const block = Buffer.alloc(64 * 1024)
    const { open: openStream } = await on(
      (stream) => {
        stream.on('error', () => {})
        const go = (): void => {
          while (!stream.destroyed) {
            sent += block.length
            if (!stream.write(block)) return void stream.once('drain', go)
          }
        }
        go()
      },
      [{}, {}, {}],
    )
    const stream = await openStream()
    stream.write('go')
    stream.once('data', () => stream.pause())
    await expect.poll(() => stream.heldBytes, { timeout: 5_000 }).toBeGreaterThan(3 * MIB)
    let before = -1
    await expect
      .poll(
        () => {
          const still = sent === before
          before = sent
          return still
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true)
    // The windows of both ends, what three paths hold, and a segment each.
    expect(stream.heldBytes).toBeLessThanOrEqual(4 * MIB + 128 * 1024)
    expect(sent).toBeLessThan(8 * MIB + 3 * MIB)
    stream.destroy()
  })
})
