import { fileURLToPath } from 'node:url'
import { cleanEnvironment, type Child, type Children } from '../children.ts'
import type { Answer, Result, Task } from './protocol.ts'

const LOAD = fileURLToPath(new URL('load.ts', import.meta.url))
const ORIGIN = fileURLToPath(new URL('origin.ts', import.meta.url))

/** Longest one task may take, in milliseconds: then the load process is given up and a new one takes the next task. */
const TASK_MS = 60_000

/** Starts one of our scripts the way this process was started, so that TypeScript is understood. */
export function startScript(children: Children, path: string, args: readonly string[] = [], ipc = false): Promise<Child> {
  return children.start(process.execPath, [...process.execArgv, path, ...args], cleanEnvironment('/'), ipc)
}

/** Starts the service behind the tunnels; returns its port. */
export async function startOrigin(children: Children): Promise<number> {
  const child = await startScript(children, ORIGIN, [], true)
  const [, port] = await child.waitFor(/origin (\d+)/)
  return Number(port)
}

/** The load generator: one task at a time, in a process of its own. */
export class LoadProcess {
  readonly #children: Children
  #child: Child | undefined

  constructor(children: Children) {
    this.#children = children
  }

  /** Runs one task; an error when it fails or takes too long. */
  async run(task: Task): Promise<Result> {
    const child = (this.#child ??= await this.#start())
    const answer = await new Promise<Answer>((resolve) => {
      const finish = (message: Answer): void => {
        clearTimeout(timer)
        child.process.off('message', finish)
        child.process.off('exit', ended)
        resolve(message)
      }
      const giveUp = (error: string): void => {
        this.#child = undefined
        child.process.kill('SIGKILL')
        finish({ error })
      }
      const ended = (): void => giveUp('the load process ended')
      const timer = setTimeout(() => giveUp(`no result within ${TASK_MS} ms`), TASK_MS)
      child.process.on('message', finish)
      child.process.on('exit', ended)
      child.process.send(task)
    })
    if ('error' in answer) throw new Error(answer.error)
    return answer.result
  }

  async #start(): Promise<Child> {
    const child = await startScript(this.#children, LOAD, [], true)
    await child.waitFor(/load ready/)
    return child
  }
}
