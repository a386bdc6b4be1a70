import { describe, expect, it, vi } from 'vitest'
import { answers, type Sink } from '../../../../backends/mesh/discovery/answers.ts'

const collect = async <T>(list: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const one of list) all.push(one)
  return all
}

describe('answers', () => {
  it('yields what was pushed before and while somebody waits, then ends', async () => {
    const list = answers<number>({ signal: new AbortController().signal, limit: 9 }, ({ push, end }) => {
      push(1)
      setImmediate(() => push(2))
      setTimeout(() => (push(3), end()), 5)
      return () => {}
    })
    expect(await collect(list)).toEqual([1, 2, 3])
  })

  it('does nothing before somebody listens, nor after the signal has fired', async () => {
    const start = vi.fn(() => () => {})
    answers({ signal: new AbortController().signal, limit: 1 }, start)
    expect(await collect(answers({ signal: AbortSignal.abort(), limit: 1 }, start))).toEqual([])
    expect(start).not.toHaveBeenCalled()
  })

  it('ends without an error when the signal fires, and stops what it started', async () => {
    const controller = new AbortController()
    const stop = vi.fn()
    const list = answers<number>({ signal: controller.signal, limit: 9 }, ({ push }) => {
      push(1)
      setTimeout(() => controller.abort(), 5)
      return stop
    })
    expect(await collect(list)).toEqual([1])
    expect(stop).toHaveBeenCalledTimes(1)
  })

  it('stops what it started when nobody listens any more', async () => {
    const stop = vi.fn()
    const list = answers<number>({ signal: new AbortController().signal, limit: 9 }, ({ push }) => {
      push(1)
      return stop
    })
    for await (const _ of list) break
    expect(stop).toHaveBeenCalledTimes(1)
  })

  it('takes no more than its limit, however much is pushed', async () => {
    let sink: Sink<number> | undefined
    const list = answers<number>({ signal: new AbortController().signal, limit: 3 }, (given) => {
      sink = given
      for (let i = 0; i < 10; i++) given.push(i)
      return () => {}
    })
    expect(await collect(list)).toEqual([0, 1, 2])
    sink?.push(99)
  })
})
