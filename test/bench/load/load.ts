/** The load generator, a process of its own: takes one task after the other over IPC and answers with what it measured. */
import type { Answer, Result, Task } from './protocol.ts'
import { check, transfer } from './bulk.ts'
import { crowd, hold, release } from './many.ts'
import { firstByte, loop } from './requests.ts'

function run(task: Task): Promise<Result> {
  switch (task.task) {
    case 'down':
    case 'up':
      return transfer(task.port, task.task, task.bytes)
    case 'check':
      return check(task.port, task.bytes)
    case 'requests':
      return loop(task.port, task.inFlight, task.seconds, true)
    case 'connections':
      return loop(task.port, task.inFlight, task.seconds, false)
    case 'first-byte':
      return firstByte(task.port, task.count)
    case 'hold':
      return hold(task.port, task.count)
    case 'crowd':
      return crowd(task.port, task.count)
    case 'release':
      return release()
  }
}

process.on('message', (task: Task) => {
  const answer = (message: Answer): void => void process.send?.(message)
  run(task).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit())
console.log('load ready')
