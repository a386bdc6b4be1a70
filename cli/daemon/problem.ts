import { BeamError, isBeamError } from '../../core/errors.ts'
import type { Problem } from './protocol.ts'

/** Attempts that are passed on; more help nobody. */
const MAX_ATTEMPTS = 64

/** An error as it goes to another process: without stack and causes, which may hold what is nobody's business. */
export function toProblem(error: unknown): Problem {
  if (!isBeamError(error)) {
    const message = error instanceof Error && error.message !== '' ? error.message : String(error)
    return { code: 'BEAM_ERR_INTERNAL', kind: 'internal', message }
  }
  const { code, kind, message, hint, cause } = error
  const attempts = cause instanceof AggregateError ? cause.errors.slice(0, MAX_ATTEMPTS).map((one) => (one as Error).message) : []
  return { code, kind, message, ...(hint === undefined ? {} : { hint }), ...(attempts.length === 0 ? {} : { attempts }) }
}

/** The error that another process told of. */
export function fromProblem({ code, kind = 'internal', message, hint, attempts }: Problem): BeamError {
  return new BeamError(kind, message, {
    code,
    hint,
    ...(attempts === undefined
      ? {}
      : {
          cause: new AggregateError(
            attempts.map((text) => new Error(text)),
            message,
          ),
        }),
  })
}
