import { expect, it } from 'vitest'
import { within } from '../../../core/tunnels/within.ts'
import { ManualClock } from './puppet-backend.ts'

it('gives the result, and leaves no timer and no listener', async () => {
  const clock = new ManualClock()
  expect(await within(Promise.resolve(7), { ms: 1_000, what: 'Seven', clock, signal: new AbortController().signal })).toBe(7)
  expect(clock.pending).toBe(0)
})

it('names what took too long, and gives a late result back', async () => {
  const clock = new ManualClock()
  const late: number[] = []
  let finish: (value: number) => void = () => {}
  const work = new Promise<number>((resolve) => (finish = resolve))
  const waiting = within(work, { ms: 2_000, what: 'Waiting', clock, onLate: (value) => late.push(value) })
  const [outcome] = await Promise.allSettled([waiting, clock.pass(2_000)])
  expect(outcome).toMatchObject({ reason: { code: 'BEAM_ERR_TIMEOUT', message: 'Waiting took longer than 2 s.' } })
  finish(7)
  await work
  expect(late).toEqual([7])
})

it('ends with the reason of its signal, also one that has fired, and swallows a late failure', async () => {
  const controller = new AbortController()
  let fail: (reason: Error) => void = () => {}
  const work = new Promise<never>((_, reject) => (fail = reject))
  const waiting = within(work, { ms: 1_000, what: 'Waiting', signal: controller.signal })
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  fail(new Error('late'))
  await expect(within(new Promise(() => {}), { ms: 1_000, what: 'Waiting', signal: controller.signal })).rejects.toBe(reason)
})
