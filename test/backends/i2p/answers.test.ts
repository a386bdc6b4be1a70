import { describe, expect, it } from 'vitest'
import { Answers } from '../../../backends/i2p/answers.ts'
import { ManualClock } from './manual-clock.ts'

const HOST = 'somebody.b32.i2p'

describe('a destination', () => {
  it('is fine as long as streams are answered, or nothing was sent on them', async () => {
    const clock = new ManualClock()
    const answers = new Answers(clock)
    answers.watch(HOST)
    const stream = answers.watch(HOST)
    stream.sent()
    stream.answered()
    await clock.pass(60_000)
    expect(answers.standing(HOST)).toBe('fine')
    expect(answers.standing('another')).toBe('fine')
  })

  it('is silent when nothing came back for five seconds, also after the stream was given up, until something comes', async () => {
    const clock = new ManualClock()
    const answers = new Answers(clock)
    const [first, second] = [answers.watch(HOST), answers.watch(HOST)]
    first.sent()
    await clock.pass(4_000)
    expect(answers.standing(HOST)).toBe('fine')
    await clock.pass(1_000)
    expect(answers.standing(HOST)).toBe('silent')
    first.ended()
    expect(answers.standing(HOST)).toBe('silent')
    second.sent()
    await clock.pass(10)
    second.answered()
    expect(answers.standing(HOST)).toBe('fine')
  })

  it('does not count as silent for a slow answer while others come', async () => {
    const clock = new ManualClock()
    const answers = new Answers(clock)
    const [slow, quick] = [answers.watch(HOST), answers.watch(HOST)]
    slow.sent()
    await clock.pass(4_000)
    quick.sent()
    quick.answered()
    await clock.pass(60_000)
    slow.ended()
    expect(answers.standing(HOST)).toBe('fine')
  })

  it('is tried again every half minute, by one', async () => {
    const clock = new ManualClock()
    const answers = new Answers(clock)
    answers.watch(HOST).sent()
    await clock.pass(5_000)
    expect(answers.standing(HOST)).toBe('silent')
    await clock.pass(30_000)
    expect(answers.standing(HOST)).toBe('trial')
    answers.watch(HOST).sent()
    await clock.pass(5_000)
    expect(answers.standing(HOST)).toBe('silent')
  })
})
