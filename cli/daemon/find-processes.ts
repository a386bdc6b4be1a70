import type { BeamPaths } from '../../core/paths.ts'
import { ControlClient, isAbsent } from './control-client.ts'
import type { ProcessTunnels } from './protocol.ts'
import { DAEMON_SOCKET, isPrivate, removeDead, socketNames, socketPath } from './sockets.ts'

/** How long each process may take to answer, in milliseconds: one that is stopped must not hold up the list. */
const ANSWER_TIMEOUT_MS = 3_000

/** A process that answered. */
export interface FoundProcess extends ProcessTunnels {
  readonly client: ControlClient
}

/** What runs on this machine for this user. */
export interface Found {
  readonly processes: readonly FoundProcess[]
  /** Those that are there but gave no proper answer. */
  readonly silent: readonly { readonly socket: string; readonly message: string }[]
}

/** Asks the daemon and every command in the foreground for their tunnels. What was left by processes that were killed is removed. */
export async function findProcesses(paths: Pick<BeamPaths, 'runtime'>): Promise<Found> {
  const processes: FoundProcess[] = []
  const silent: Array<{ socket: string; message: string }> = []
  const names = await socketNames(paths)
  const answers = await Promise.all(names.map((name) => ask(paths, name)))
  for (const [index, answer] of answers.entries()) {
    if (answer instanceof Error) silent.push({ socket: socketPath(paths, names[index] ?? ''), message: answer.message })
    else if (answer !== undefined) processes.push(answer)
  }
  return { processes, silent }
}

/** The daemon, when one answers. */
export async function findDaemon(paths: Pick<BeamPaths, 'runtime'>): Promise<FoundProcess | undefined> {
  const answer = await ask(paths, DAEMON_SOCKET)
  if (answer instanceof Error) throw answer
  return answer
}

async function ask(paths: Pick<BeamPaths, 'runtime'>, name: string): Promise<FoundProcess | Error | undefined> {
  if (!isPrivate(paths)) return undefined
  const client = new ControlClient(socketPath(paths, name))
  try {
    return { ...(await client.tunnels({ timeoutMs: ANSWER_TIMEOUT_MS })), client }
  } catch (error) {
    if (!isAbsent(error)) return error as Error
    removeDead(paths, name)
    return undefined
  }
}
