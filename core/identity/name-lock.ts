import { BackendUnavailableError } from '../errors.ts'
import type { BeamPaths } from '../paths.ts'
import { tryProcessLock } from './process-lock.ts'
import { checkServiceName } from './service-name.ts'

/**
 * Makes this process the only one that publishes under a name, until it lets go or ends (also by kill -9): two publishers with one key
 * would take each other's visitors. Holds among the processes of one user on one machine.
 * @throws BackendUnavailableError (`BEAM_ERR_NAME_IN_USE`) when another process, or this one, has it; ConfigError (`BEAM_ERR_NAME_INVALID`).
 */
export async function lockName(paths: Pick<BeamPaths, 'runtime'>, name: string): Promise<AsyncDisposable> {
  checkServiceName(name)
  const result = await tryProcessLock(paths, `name ${name}`)
  if ('lock' in result) return result.lock
  const who = result.heldBy > 0 ? `Process ${result.heldBy}` : 'Another Beam process'
  throw new BackendUnavailableError(`${who} publishes under the name "${name}" already.`, {
    code: 'BEAM_ERR_NAME_IN_USE',
    hint: 'End that process first, or choose another name with --name.',
  })
}
