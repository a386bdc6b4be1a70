import { expect, it } from 'vitest'
import { Gate } from '../../../core/tunnels/gate.ts'

it('runs a limited number of tasks at once, in order, also when some fail', async () => {
  const gate = new Gate(2)
  const started: number[] = []
  let running = 0
  let most = 0
  const tasks = Array.from({ length: 9 }, (_, index) =>
    gate.run(async () => {
      started.push(index)
      most = Math.max(most, (running += 1))
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      if (index % 3 === 0) throw new Error(`task ${index}`)
      return index
    }),
  )
  const outcomes = await Promise.allSettled(tasks)
  expect(most).toBe(2)
  expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([false, true, true, false, true, true, false, true, true])
})
