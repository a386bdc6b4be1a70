import { isOperable } from '../core/powers.ts'
import { InternalError } from '../core/errors.ts'
import type { OperationData } from './daemon/protocol.ts'
import { stderrLogger } from './stderr-logger.ts'

/**
 * Does something with the list of friends: `invite`, `accept`, `friends`, `revoke`. It works on the file alone; a mesh that runs in another
 * process follows the file.
 */
export async function withFriends(
  operation: string,
  input: OperationData,
  { verbose }: { readonly verbose: boolean },
): Promise<OperationData> {
  const { createBackend } = await import('../plugins/create-backend.ts')
  const backend = await createBackend('anonet', { configFile: true, logger: await stderrLogger(verbose) })
  try {
    if (!isOperable(backend)) throw new InternalError('The backend anonet has no operations.')
    return await backend.operate(operation, input)
  } finally {
    await backend[Symbol.asyncDispose]()
  }
}
