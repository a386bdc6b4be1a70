import type { Http2Session } from 'node:http2'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { PING_AGAIN_MS, PING_INTERVAL_MS, PING_TIMEOUT_MS } from '../../../core/link/constants.ts'
import { watchHeartbeat, type Heartbeat } from '../../../core/link/heartbeat.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Told `null` with the answer, or why there is none. */
type Answer = (error: Error | null) => void

/** The two things of a session that the heartbeat uses; time is what is tested here, links are tested for real elsewhere. */
function watched(): Heartbeat & { connection: { bytesRead: number }; answers: Answer[]; dead: () => number } {
  const connection = { bytesRead: 0 }
  const answers: Answer[] = []
  let deaths = 0
  const session = { destroyed: false, closed: false, ping: (answer: Answer) => answers.push(answer) > 0 }
  const heartbeat = watchHeartbeat(session as unknown as Http2Session, connection, () => deaths++)
  return { connection, answers, dead: () => deaths, ...heartbeat }
}

it('does not ask while bytes come in', () => {
  const { connection, answers, dead, stop } = watched()
  for (let i = 0; i < 10; i++) {
    connection.bytesRead += 1
    vi.advanceTimersByTime(PING_INTERVAL_MS)
  }
  expect([answers.length, dead()]).toEqual([0, 0])
  stop()
})

it('asks a silent far end, and gives it up when no answer and no byte comes in time', () => {
  const silent = watched()
  vi.advanceTimersByTime(2 * PING_INTERVAL_MS)
  expect([silent.answers.length, silent.dead()]).toEqual([1, 0])
  vi.advanceTimersByTime(PING_TIMEOUT_MS)
  expect(silent.dead()).toBe(1)
  silent.stop()

  const answering = watched()
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(PING_INTERVAL_MS)
    answering.answers.at(-1)?.(null)
  }
  expect(answering.dead()).toBe(0)
  answering.stop()

  const busy = watched()
  vi.advanceTimersByTime(2 * PING_INTERVAL_MS)
  busy.connection.bytesRead += 1000
  vi.advanceTimersByTime(PING_TIMEOUT_MS)
  expect(busy.dead()).toBe(0)
  busy.stop()
})

it('takes a question that was called off, because too many are unanswered, for no answer', () => {
  const silent = watched()
  vi.advanceTimersByTime(2 * PING_INTERVAL_MS)
  silent.answers.at(-1)?.(new Error('HTTP2 ping cancelled'))
  vi.advanceTimersByTime(PING_TIMEOUT_MS)
  expect(silent.dead()).toBe(1)
  silent.stop()
})

it('asks at once when somebody needs the far end, once for many of them', () => {
  const gone = watched()
  gone.connection.bytesRead = 1000
  for (let i = 0; i < 100; i++) gone.ask()
  vi.advanceTimersByTime(0)
  expect([gone.answers.length, gone.dead()]).toEqual([1, 0])
  vi.advanceTimersByTime(PING_TIMEOUT_MS)
  expect(gone.dead()).toBe(1)
  gone.stop()

  const there = watched()
  for (let i = 1; i <= 3; i++) {
    there.ask()
    vi.advanceTimersByTime(0)
    there.answers.at(-1)?.(null)
    vi.advanceTimersByTime(PING_AGAIN_MS)
    expect(there.answers).toHaveLength(i)
  }
  vi.advanceTimersByTime(PING_TIMEOUT_MS)
  expect(there.dead()).toBe(0)
  there.stop()
})

it('asks again for who comes right after an answer, a moment later', () => {
  const { ask, answers, dead, stop } = watched()
  ask()
  vi.advanceTimersByTime(0)
  answers.at(-1)?.(null)
  ask()
  vi.advanceTimersByTime(0)
  expect(answers).toHaveLength(1)
  vi.advanceTimersByTime(PING_AGAIN_MS)
  expect(answers).toHaveLength(2)
  vi.advanceTimersByTime(PING_TIMEOUT_MS)
  expect(dead()).toBe(1)
  stop()
})

it('leaves no timer behind', () => {
  const { ask, stop } = watched()
  ask()
  vi.advanceTimersByTime(2 * PING_INTERVAL_MS)
  stop()
  expect(vi.getTimerCount()).toBe(0)
})
