import {
  BackendUnavailableError,
  ConfigError,
  ProtocolError,
  TimeoutError,
  UnreachableError,
  UnsupportedError,
  type BeamError,
  type BeamErrorOptions,
  type ErrorKind,
} from '../../core/index.ts'

/** What an executable says of a failure (`error.data`). */
interface FailureData {
  readonly kind?: Exclude<ErrorKind, 'internal'>
  readonly code?: string
  readonly hint?: string
  readonly retry?: 'now' | 'later' | 'never'
}

/** JSON-RPC 2.0 section 5.1. */
const METHOD_NOT_FOUND = -32601

/** The executable broke the protocol: garbage, a flood, a line without end. It is ended and restarted. */
export function brokeProtocol(plugin: string, what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`The backend “${plugin}” broke the executable protocol: ${what}.`, {
    code: 'BEAM_ERR_PLUGIN_PROTOCOL',
    hint: 'Standard output is for protocol messages only; everything else goes to standard error. docs/executable-backends.md describes every message.',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The executable is not there to answer. */
export function notRunning(plugin: string, why: string, options: BeamErrorOptions = {}): BackendUnavailableError {
  return new BackendUnavailableError(`The backend “${plugin}” is not running: ${why}.`, options)
}

/** The executable took longer than it may. */
export function tooSlow(plugin: string, method: string, limitMs: number): TimeoutError {
  return new TimeoutError(`The backend “${plugin}” did not answer ${method} within ${limitMs} ms.`)
}

/** The error that an executable's refusal stands for. */
export function refusal(
  plugin: string,
  method: string,
  error: { readonly code: number; readonly message: string; readonly data?: unknown },
): BeamError {
  const data = (error.data ?? {}) as FailureData
  const message = `${plugin}: ${error.message === '' ? `${method} failed` : error.message}`
  const options: BeamErrorOptions = {
    ...(data.code === undefined ? {} : { code: data.code }),
    ...(data.hint === undefined ? {} : { hint: data.hint }),
    ...(data.retry === undefined ? {} : { retry: data.retry }),
  }
  const kind = data.kind ?? (error.code === METHOD_NOT_FOUND ? 'unsupported' : 'unavailable')
  switch (kind) {
    case 'config':
      return new ConfigError(message, options)
    case 'unreachable':
      return new UnreachableError(message, options)
    case 'timeout':
      return new TimeoutError(message, options)
    case 'protocol':
      return new ProtocolError(message, options)
    case 'unsupported':
      return new UnsupportedError(error.code === METHOD_NOT_FOUND ? `The backend “${plugin}” has no ${method}.` : message, options)
    case 'unavailable':
      return new BackendUnavailableError(message, options)
  }
}
