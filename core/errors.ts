/**
 * The typed errors of Beam: `kind` for programs, `code` for search, `message` for people, `hint` for what to do next,
 * `cause` for debugging. Compare `kind` or `code`, never the message. docs/errors.md lists every code.
 */

/** What sort of failure it is, and so what a caller can do about it. */
export type ErrorKind = 'config' | 'unavailable' | 'unreachable' | 'timeout' | 'protocol' | 'unsupported' | 'internal'

/** Whether the same call can work when it is repeated. */
export type Retry = 'now' | 'later' | 'never'

/** Every code that Beam itself uses, with the sentence that docs/errors.md prints for it (a test keeps the two alike). */
export const ERROR_CODES = {
  BEAM_ERR_CONFIG: 'The configuration or a command-line value is wrong.',
  BEAM_ERR_USAGE: 'The command line is wrong: an unknown command or flag, or a value that is missing or contradicts another.',
  BEAM_ERR_PORT_INVALID: 'A port is not a whole number between 1 and 65535.',
  BEAM_ERR_ADDRESS_INVALID: 'An address has no form that any backend understands.',
  BEAM_ERR_EXPOSURE: 'The choice of networks would show the IP address that one of them hides.',
  BEAM_ERR_PLUGIN: 'A plugin is missing, has another API version, or failed to load.',
  BEAM_ERR_PLUGIN_INSTALL: 'A plugin package could not be installed or removed.',
  BEAM_ERR_PLUGIN_PROTOCOL: 'A backend that runs as an executable broke the protocol between it and Beam.',
  BEAM_ERR_BACKEND_UNKNOWN: 'No backend has this name.',
  BEAM_ERR_BACKEND_IDLE: 'No Beam process on this machine uses this backend now.',
  BEAM_ERR_BACKEND_NOT_INSTALLED: 'Beam knows this backend, but this version does not contain it.',
  BEAM_ERR_BACKEND_UNAVAILABLE: 'The network cannot be used from this machine at present: our side of it is missing or not ready.',
  BEAM_ERR_PROGRAM_MISSING: 'A program that this network needs is not installed, or is too old.',
  BEAM_ERR_PROGRAM_FAILED: 'A program that this network needs did not start, or ended.',
  BEAM_ERR_CONTROL_PORT: 'The control port of a network’s program cannot be reached, refuses us, or does not speak its protocol.',
  BEAM_ERR_BOOTSTRAP: 'The network could not be joined: wrong clock, no connection, or it is blocked here.',
  BEAM_ERR_PORT_IN_USE: 'The local port is taken by another process.',
  BEAM_ERR_SERVICE_DOWN: 'Nothing listens on the local port that is to be published.',
  BEAM_ERR_NAME_INVALID: 'A tunnel name or a domain has a form that Beam does not take.',
  BEAM_ERR_NAME_IN_USE: 'Another Beam process publishes under this name.',
  BEAM_ERR_KEY_STORAGE: 'A key cannot be read, written, or is readable by other users.',
  BEAM_ERR_KEY_EXISTS: 'Another key is stored under this name already.',
  BEAM_ERR_EXPORT_INVALID: 'A file that `beam export` is said to have written is damaged, was changed, or is something else.',
  BEAM_ERR_PASSPHRASE: 'The passphrase is wrong, missing or too short.',
  BEAM_ERR_INVITE: 'An invitation to a mesh of friends, or the answer to one, is damaged, forged, expired or does not fit.',
  BEAM_ERR_PEER_UNREACHABLE: 'The far end cannot be reached.',
  BEAM_ERR_NOT_FOUND: 'Nobody publishes this address or name as far as could be found out.',
  BEAM_ERR_NAME_CONFLICT: 'The name now points to another key than the one accepted before.',
  BEAM_ERR_NAME_AMBIGUOUS: 'Several keys claim this name, and none of them was accepted before.',
  BEAM_ERR_ACCESS_DENIED: 'The publisher does not let this visitor in.',
  BEAM_ERR_KEY_MISMATCH: 'The far end holds another key than the address says.',
  BEAM_ERR_RECORD_INVALID: 'A service record is malformed, forged or too large.',
  BEAM_ERR_RECORD_EXPIRED: 'A service record is past its time to live.',
  BEAM_ERR_LINK_CLOSED: 'The link to the far end ended.',
  BEAM_ERR_LINK_PROTOCOL: 'The far end broke the rules of the link.',
  BEAM_ERR_RATE_LIMITED: 'The far end takes no more from here for now.',
  BEAM_ERR_STREAM_RESET: 'The far end reset the stream.',
  BEAM_ERR_TIMEOUT: 'It took longer than it may.',
  BEAM_ERR_UNSUPPORTED: 'The backend cannot do this.',
  BEAM_ERR_DAEMON: 'The daemon did not start, does not answer, or cannot do what was asked of it.',
  BEAM_ERR_DAEMON_RUNNING: 'A daemon runs already.',
  BEAM_ERR_DAEMON_LOST: 'The daemon ended while a command was attached to it.',
  BEAM_ERR_CONTROL: 'A request to the control API, or an answer of it, is not what its schema says.',
  BEAM_ERR_TUNNEL_UNKNOWN: 'No running tunnel has this id or name.',
  BEAM_ERR_INTERNAL: 'A fault in Beam itself.',
} as const satisfies Record<`BEAM_ERR_${string}`, string>

/** A code of Beam's own table; plugins may use codes of their own. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What can be said of an error besides its message. */
export interface BeamErrorOptions {
  readonly code?: ErrorCode | (string & {})
  readonly retry?: Retry
  /** What the user can do about it; the command line prints it. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

const brand = Symbol.for('beam.error')

/** Base of all errors that Beam throws on purpose. */
export class BeamError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly retry: Retry
  readonly hint: string | undefined

  constructor(kind: ErrorKind, message: string, options: BeamErrorOptions & { code: string }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.kind = kind
    this.code = options.code
    this.retry = options.retry ?? 'never'
    this.hint = options.hint
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Tells whether a value is an error of Beam, also when it comes from a second installed copy of it (`instanceof` would say no). */
export function isBeamError(value: unknown): value is BeamError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}

/** A value given by the user (command line, environment, beam.config.yaml) is wrong. Exit code 2. */
export class ConfigError extends BeamError {
  constructor(message: string, options: BeamErrorOptions = {}) {
    super('config', message, { code: 'BEAM_ERR_CONFIG', ...options })
  }
}

/** A plugin is missing, speaks another API version, or failed. */
export class PluginError extends BeamError {
  constructor(message: string, options: BeamErrorOptions = {}) {
    super('config', message, { code: 'BEAM_ERR_PLUGIN', ...options })
  }
}

/** Our side: a daemon is absent or not ready, a port or name is taken. The router tries another backend. */
export class BackendUnavailableError extends BeamError {
  constructor(message: string, options: BeamErrorOptions = {}) {
    super('unavailable', message, { code: 'BEAM_ERR_BACKEND_UNAVAILABLE', retry: 'later', ...options })
  }
}

/** Their side: the destination is gone or refuses. Forget the address, not the backend. */
export class UnreachableError extends BeamError {
  constructor(message: string, options: BeamErrorOptions = {}) {
    super('unreachable', message, { code: 'BEAM_ERR_PEER_UNREACHABLE', retry: 'later', ...options })
  }
}

/** A limit of time of ours passed. */
export class TimeoutError extends BeamError {
  constructor(message: string, options: BeamErrorOptions = {}) {
    super('timeout', message, { code: 'BEAM_ERR_TIMEOUT', retry: 'now', ...options })
  }
}

/** The far end broke a protocol: a fault or an attack. The stream is closed. */
export class ProtocolError extends BeamError {
  constructor(message: string, options: BeamErrorOptions = {}) {
    super('protocol', message, { code: 'BEAM_ERR_LINK_PROTOCOL', ...options })
  }
}

/** A capability was asked for that the backend does not have. */
export class UnsupportedError extends BeamError {
  constructor(message: string, options: BeamErrorOptions = {}) {
    super('unsupported', message, { code: 'BEAM_ERR_UNSUPPORTED', ...options })
  }
}

/** A fault of ours. */
export class InternalError extends BeamError {
  constructor(message: string, options: BeamErrorOptions = {}) {
    super('internal', message, { code: 'BEAM_ERR_INTERNAL', hint: 'This is a fault in Beam itself; please report it.', ...options })
  }
}

/** Several attempts failed: one `UnreachableError` whose cause lists them all. */
export function allFailed(message: string, attempts: readonly unknown[], options: BeamErrorOptions = {}): UnreachableError {
  return new UnreachableError(message, { ...options, cause: new AggregateError(attempts, message) })
}
