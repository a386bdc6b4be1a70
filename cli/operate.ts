import { beamPaths } from '../config/paths.ts'
import { BackendUnavailableError, isBeamError } from '../core/errors.ts'
import type { BeamPaths } from '../core/paths.ts'
import { isAbsent } from './daemon/control-client.ts'
import { findProcesses } from './daemon/find-processes.ts'
import type { OperationData, ProcessInfo } from './daemon/protocol.ts'

/** What is asked of a backend, wherever it runs. */
export interface Operate {
  readonly backend: string
  readonly operation: string
  readonly input?: OperationData
  readonly paths?: Pick<BeamPaths, 'runtime'>
}

/** What one Beam instance answered, and whose it is. */
export interface OperateAnswer {
  readonly process: ProcessInfo
  readonly answer: OperationData
}

/**
 * Asks every Beam process of this user that uses a backend to carry out an operation of it: the daemon and the commands in the foreground.
 * @throws BackendUnavailableError (`BEAM_ERR_BACKEND_IDLE`) when none uses it; the error of a process that could not do it
 */
export async function operateBackend({ backend, operation, input = {}, paths = beamPaths() }: Operate): Promise<readonly OperateAnswer[]> {
  const answers = await operateWhereUsed({ backend, operation, input, paths })
  if (answers.length > 0) return answers
  throw new BackendUnavailableError(`No Beam process uses ${backend} now.`, {
    code: 'BEAM_ERR_BACKEND_IDLE',
    hint: `Publish something on it, and ask again from another terminal: beam 3000 --backend ${backend}`,
  })
}

/** The same, where it is no failure that none uses it. */
export async function operateWhereUsed({
  backend,
  operation,
  input = {},
  paths = beamPaths(),
}: Operate): Promise<readonly OperateAnswer[]> {
  const { processes } = await findProcesses(paths)
  const results = await Promise.allSettled(
    processes.map(async ({ process, client }) => {
      const { answers } = await client.operate({ backend, operation, input })
      return answers.map((answer): OperateAnswer => ({ process, answer }))
    }),
  )
  return results.flatMap((result) => {
    if (result.status === 'fulfilled') return result.value
    // One that ended in the meantime uses nothing any more.
    if (isAbsent(result.reason) || (isBeamError(result.reason) && result.reason.code === 'BEAM_ERR_DAEMON_LOST')) return []
    throw result.reason
  })
}
