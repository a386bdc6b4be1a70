import { spawn, type ChildProcess } from 'node:child_process'

/** `ip` and `mount` are done at once. */
const COMMAND_LIMIT_MS = 10_000
/** What a program says before it ends, at most. */
const MAX_OUTPUT_BYTES = 8 * 1024

/** Runs a command to its end; further descriptors are passed as 3, 4, …. @throws Error with what it said */
export async function run(command: readonly [string, ...string[]], ...descriptors: readonly number[]): Promise<void> {
  const [program, ...args] = command
  const service = serve(program, args, process.env, ...descriptors)
  const timer = setTimeout(() => service.child.kill('SIGKILL'), COMMAND_LIMIT_MS)
  await service.ended
  clearTimeout(timer)
  if (service.child.exitCode !== 0) throw new Error(`${command.join(' ')}: ${service.said().trim().slice(0, 500) || 'it failed'}`)
}

/** A program that runs until it is stopped, and the end of what it said on its standard error. */
export interface Service {
  readonly child: ChildProcess
  readonly said: () => string
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/** wireguard-go ends within a second or so; who does not is ended. */
const STOP_LIMIT_MS = 3_000

/** Starts a program in the foreground; further descriptors are passed as 3, 4, …. */
export function serve(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  ...descriptors: readonly number[]
): Service {
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe', ...descriptors] })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-MAX_OUTPUT_BYTES)))
  const ended = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      said += error.message
      resolve()
    })
    child.on('close', () => resolve())
  })
  return {
    child,
    said: () => said,
    ended,
    async stop() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
      await ended
      clearTimeout(timer)
    },
  }
}
