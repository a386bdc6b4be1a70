import { UnsupportedError } from '../../core/errors.ts'
import type { OperationData } from '../daemon/protocol.ts'
import { operateWhereUsed } from '../operate.ts'
import type { OnionNetwork } from './networks.ts'

/**
 * Has something done about who may visit services: by the Beam processes that use the network, which then follow it at once, else here, on
 * the files alone. Returns an answer of each. Errors as the operation.
 */
export async function operateOnFiles(
  { backend }: OnionNetwork,
  operation: string,
  input: OperationData,
): Promise<readonly OperationData[]> {
  const answers = await operateWhereUsed({ backend, operation, input })
  return answers.length > 0 ? answers.map(({ answer }) => answer) : [await here(backend, operation, input)]
}

async function here(name: string, operation: string, input: OperationData): Promise<OperationData> {
  const [{ createBackend }, { isOperable }] = await Promise.all([import('../../plugins/create-backend.ts'), import('../../core/index.ts')])
  const backend = await createBackend(name, { configFile: true })
  try {
    if (!isOperable(backend)) throw new UnsupportedError(`${name} knows nothing of visitors’ keys.`)
    return await backend.operate(operation, input)
  } finally {
    await backend[Symbol.asyncDispose]()
  }
}
