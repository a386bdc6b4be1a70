import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CleanupStack } from '../../../core/index.ts'

/** A process of its own that does what it is told, one thing at a time. */
export interface Child {
  readonly pid: number
  /** Sends a command and waits for the answer. */
  ask(command: Command): Promise<string>
  /** Lets go of it; resolves with its exit code when nothing else keeps it alive. */
  disconnected(): Promise<number>
  /** kill -9. */
  kill(): Promise<void>
}

/** What test/core/identity/child-main.ts understands. */
export type Command =
  | { readonly do: 'lock'; readonly runtime: string; readonly name: string }
  | { readonly do: 'release' }
  | { readonly do: 'service-key'; readonly data: string; readonly name: string }
  | { readonly do: 'pin'; readonly data: string; readonly runtime: string; readonly name: string; readonly key: string }

/** Starts a child; the cleanup ends it. One that can write no files meets the error that a full disk gives, too (POSIX only). */
export async function startChild(cleanup: CleanupStack, { canWriteFiles = true } = {}): Promise<Child> {
  const node = [process.execPath, '--import', 'tsx', fileURLToPath(new URL('child-main.ts', import.meta.url))]
  const [command = '', ...args] = canWriteFiles ? node : ['sh', '-c', 'ulimit -f 0; exec "$0" "$@"', ...node]
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const exit = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exit
  }
  cleanup.defer(kill)
  await once(child, 'message')
  return {
    pid: child.pid ?? 0,
    kill,
    async disconnected() {
      child.disconnect()
      const [code] = (await exit) as [number]
      return code
    },
    async ask(command) {
      const answer = once(child, 'message')
      child.send(command)
      const [text] = (await answer) as [string]
      return text
    },
  }
}
