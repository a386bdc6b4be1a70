import { describe, expect, it } from 'vitest'
import { race, type Contender } from '../../../core/routing/index.ts'
import { ManualClock } from '../tunnels/puppet-backend.ts'

interface Lane extends Contender<string> {
  readonly begun: () => boolean
  readonly called: () => boolean
  succeed(): void
  fail(message: string): void
  readonly late: string[]
  overtaken: number
}

function lane(name: string, headStartMs = 1_000): Lane {
  let begun = false
  let signal: AbortSignal | undefined
  let succeed = (): void => {}
  let fail = (_: string): void => {}
  const made: Lane = {
    headStartMs,
    overtaken: 0,
    late: [],
    begun: () => begun,
    called: () => signal?.aborted === true,
    succeed: () => succeed(),
    fail: (message) => fail(message),
    onLate: (value) => made.late.push(value),
    onOvertaken: () => (made.overtaken += 1),
    run: (given) => {
      begun = true
      signal = given
      return new Promise((resolve, reject) => {
        succeed = () => resolve(name)
        fail = (message) => reject(new Error(message))
      })
    },
  }
  return made
}

describe('a race', () => {
  it('begins the next one when the head start is used up, and calls the loser off', async () => {
    const clock = new ManualClock()
    const [a, b] = [lane('a'), lane('b')]
    const won = race([a, b], { clock })
    expect([a.begun(), b.begun()]).toEqual([true, false])
    await clock.pass(1_000)
    expect(b.begun()).toBe(true)
    expect(a.overtaken).toBe(1)
    b.succeed()
    expect(await won).toBe('b')
    expect([a.called(), b.called()]).toEqual([true, false])
    a.succeed()
    await Promise.resolve()
    expect(a.late).toEqual(['a'])
    expect(clock.pending).toBe(0)
  })

  it('begins the next one at once when one fails', async () => {
    const [a, b] = [lane('a'), lane('b')]
    const won = race([a, b], { clock: new ManualClock() })
    a.fail('no')
    await expect.poll(() => b.begun()).toBe(true)
    b.succeed()
    expect(await won).toBe('b')
  })

  it('tells of every failure in order', async () => {
    const [a, b] = [lane('a', 0), lane('b', 0)]
    const clock = new ManualClock()
    const won = race([a, b], { clock })
    await clock.pass(1)
    b.fail('second')
    a.fail('first')
    await expect(won).rejects.toMatchObject({ errors: [{ message: 'first' }, { message: 'second' }] })
  })

  it('ends with an error that the others would meet as well', async () => {
    const [a, b] = [lane('a'), lane('b')]
    const won = race([a, b], { clock: new ManualClock(), isFinal: () => true })
    a.fail('the service is down')
    await expect(won).rejects.toThrow('the service is down')
    expect(b.begun()).toBe(false)
  })

  it('heeds its signal', async () => {
    const ended = new AbortController()
    const a = lane('a')
    const won = race([a], { clock: new ManualClock(), signal: ended.signal })
    ended.abort(new Error('enough'))
    await expect(won).rejects.toThrow('enough')
    expect(a.called()).toBe(true)
    await expect(race([a], { signal: ended.signal })).rejects.toThrow('enough')
  })
})
