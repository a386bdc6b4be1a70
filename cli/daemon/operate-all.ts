import { isBeamError, UnsupportedError } from '../../core/errors.ts'
import type { Beam } from '../../plugins/beam.ts'
import type { OperationData } from './protocol.ts'

/** Largest answer of a backend, as JSON. The contract says the same. */
const MAX_ANSWER_BYTES = 256 * 1024

/** What is asked of a backend. */
export interface OperationCall {
  readonly backend: string
  readonly operation: string
  readonly input: OperationData
  readonly signal: AbortSignal
}

/**
 * Has every instance that uses a backend carry out an operation of it. Empty when none uses it.
 * @throws the first error of an instance that uses it
 */
export async function operateAll(beams: readonly Pick<Beam, 'operate'>[], call: OperationCall): Promise<readonly OperationData[]> {
  const { backend, operation, input, signal } = call
  const results = await Promise.allSettled(beams.map((beam) => beam.operate(backend, operation, input, { signal })))
  return results.flatMap((result) => {
    if (result.status === 'fulfilled') return [bounded(result.value, call)]
    if (isIdle(result.reason)) return []
    throw result.reason
  })
}

/** Whether an error says that nobody uses the backend. */
function isIdle(error: unknown): boolean {
  return isBeamError(error) && error.code === 'BEAM_ERR_BACKEND_IDLE'
}

function bounded(answer: OperationData, { backend, operation }: OperationCall): OperationData {
  const text = JSON.stringify(answer)
  if (Buffer.byteLength(text) <= MAX_ANSWER_BYTES) return JSON.parse(text) as OperationData
  throw new UnsupportedError(`${backend} answers ${operation} with more than ${MAX_ANSWER_BYTES} bytes.`)
}
