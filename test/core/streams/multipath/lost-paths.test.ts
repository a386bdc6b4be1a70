import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { MultipathStream } from '../../../../core/streams/multipath/index.ts'
import { lossyRoutes, type LossyRoute, type SteppedClock } from './lossy-routes.ts'
import { echo } from './stage.ts'

afterEach(() => vi.restoreAllMocks())

interface Stage {
  readonly clock: SteppedClock
  readonly red: LossyRoute
  readonly green: LossyRoute
  readonly open: () => Promise<MultipathStream>
  /** The publisher's end of the stream, as the service has it. */
  readonly service: () => Duplex | undefined
}

function stage(): Stage {
  // The longest wait that chance may give.
  vi.spyOn(Math, 'random').mockReturnValue(0.999)
  const seen: Duplex[] = []
  const { clock, routes, open } = lossyRoutes(
    (stream, visitor) => {
      if ('paths' in stream) seen.push(stream)
      echo(stream, visitor)
    },
    ['red', 'green'],
  )
  const [red, green] = routes as [LossyRoute, LossyRoute]
  return { clock, red, green, open, service: () => seen[0] }
}

/** What the far end echoes within some time of the stage. */
async function echoed(stream: MultipathStream, text: string, { clock, ms }: { clock: SteppedClock; ms: number }): Promise<string> {
  let heard = ''
  const onData = (chunk: Buffer): void => void (heard += chunk.toString())
  stream.on('data', onData)
  stream.write(text)
  await clock.pass(ms)
  stream.off('data', onData)
  return heard
}

describe('a route that did not work before', () => {
  it('is left alone while another one answers', async () => {
    const { clock, green, open } = stage()
    green.isDown = true
    const stream = await open()
    expect(await echoed(stream, 'hello', { clock, ms: 500 })).toBe('hello')
    expect(green.dials).toBe(0)
    stream.destroy()
  })

  it('has its turn at once when all others refuse', async () => {
    const { clock, red, green, open } = stage()
    green.isDown = true
    red.state = 'refuses'
    const stream = await open()
    expect(await echoed(stream, 'hello', { clock, ms: 0 })).toBe('hello')
    stream.destroy()
  })

  it('has its turn when no other one answers in time', async () => {
    const { clock, red, green, open } = stage()
    green.isDown = true
    red.state = 'hangs'
    const opening = open()
    await clock.pass(300)
    const stream = await opening
    expect(await echoed(stream, 'hello', { clock, ms: 0 })).toBe('hello')
    stream.destroy()
  })

  it('joins a stream that lives long enough', async () => {
    const { clock, green, open } = stage()
    green.isDown = true
    const stream = await open()
    await clock.pass(5_000)
    expect(stream.paths.map(({ label }) => label)).toEqual(['red', 'green'])
    stream.destroy()
  })

  it('is an error only when all others fail as well, and none is dialled for ever', async () => {
    const { red, green, open } = stage()
    green.isDown = true
    for (const route of [red, green]) route.state = 'refuses'
    await expect(open()).rejects.toThrow(/red refuses|No path could be opened/)
    expect(red.dials).toBeLessThanOrEqual(2)
    expect(green.dials).toBe(1)
  })
})

describe('a stream whose paths are lost', () => {
  it('goes on over one that works again when the last one dies', async () => {
    const { clock, red, green, open } = stage()
    green.isDown = true
    const stream = await open()
    expect(await echoed(stream, 'one', { clock, ms: 100 })).toBe('one')
    red.state = 'refuses'
    red.cut()
    expect(await echoed(stream, 'two', { clock, ms: 50 })).toBe('two')
    stream.destroy()
  })

  it('goes on over one that works again when the only other one falls silent, also when it only receives', async () => {
    const { clock, red, green, open, service } = stage()
    const stream = await open()
    expect(await echoed(stream, 'one', { clock, ms: 100 })).toBe('one')
    // It refuses so often that it would be dialled again after 15 s.
    green.state = 'refuses'
    green.cut()
    await clock.pass(20_000)
    expect(green.dials).toBeGreaterThan(5)
    green.state = 'works'
    red.silence()
    service()?.write('from the service')
    let heard = ''
    stream.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    await clock.pass(4_800)
    expect(heard).toBe('from the service')
    stream.destroy()
  })

  it('does not wait for a dial that hangs', async () => {
    const { clock, red, green, open } = stage()
    green.state = 'hangs'
    const stream = await open()
    expect(await echoed(stream, 'one', { clock, ms: 5_000 })).toBe('one')
    green.state = 'works'
    red.state = 'refuses'
    red.cut()
    expect(await echoed(stream, 'two', { clock, ms: 50 })).toBe('two')
    stream.destroy()
  })

  it('is not given up by the publisher before the visitor gives it up', async () => {
    const { clock, red, green, open, service } = stage()
    const stream = await open()
    expect(await echoed(stream, 'one', { clock, ms: 100 })).toBe('one')
    for (const route of [red, green]) {
      route.state = 'refuses'
      route.cut()
    }
    await clock.pass(25_000)
    expect([stream.destroyed, service()?.destroyed]).toEqual([false, false])
    green.state = 'works'
    expect(await echoed(stream, 'two', { clock, ms: 4_900 })).toBe('two')
    stream.destroy()
  })

  it('ends properly when the last word is lost with the last path', async () => {
    const { clock, red, green, open, service } = stage()
    green.state = 'refuses'
    const stream = await open()
    expect(await echoed(stream, 'one', { clock, ms: 100 })).toBe('one')
    let heard = ''
    stream.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    service()?.unpipe().resume()
    service()?.end('two')
    await clock.pass(100)
    expect([heard, stream.readableEnded]).toEqual(['two', true])
    red.delayMs = 200
    stream.end()
    // The end has arrived, and the word that it has is on its way back.
    await clock.pass(300)
    expect([service()?.closed, service()?.errored, stream.writableFinished]).toEqual([true, null, false])
    red.cut()
    await clock.pass(1_000)
    expect([stream.errored, stream.writableFinished]).toEqual([null, true])
  })

  it('is not over because one network names the visitor otherwise', async () => {
    const { clock, red, green, open } = stage()
    const stream = await open()
    expect(await echoed(stream, 'one', { clock, ms: 100 })).toBe('one')
    green.key = 'somebody else'
    red.state = 'refuses'
    for (const route of [red, green]) route.cut()
    await clock.pass(2_000)
    expect(green.dials).toBeGreaterThan(2)
    expect(green.dials).toBeLessThan(10)
    red.state = 'works'
    expect(await echoed(stream, 'two', { clock, ms: 3_000 })).toBe('two')
    stream.destroy()
  })

  it('has no number of losses that is too many', async () => {
    const { clock, red, green, open } = stage()
    green.state = 'refuses'
    const stream = await open()
    expect(await echoed(stream, 'one', { clock, ms: 100 })).toBe('one')
    for (let times = 0; times < 1_100; times++) {
      red.cut()
      await clock.pass(1_000)
    }
    expect(await echoed(stream, 'two', { clock, ms: 3_000 })).toBe('two')
    expect(red.dials).toBeGreaterThan(1_024)
    stream.destroy()
  }, 30_000)

  it('is broken off at both ends when none comes back', async () => {
    const { clock, red, green, open, service } = stage()
    const stream = await open()
    expect(await echoed(stream, 'one', { clock, ms: 100 })).toBe('one')
    for (const route of [red, green]) {
      route.state = 'refuses'
      route.cut()
    }
    await clock.pass(31_000)
    expect(stream.errored?.message).toMatch(/all paths were lost/)
    await clock.pass(15_000)
    expect(service()?.destroyed).toBe(true)
  })
})
