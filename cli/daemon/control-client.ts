import { request, type IncomingMessage } from 'node:http'
import { BackendUnavailableError, ProtocolError, isBeamError } from '../../core/errors.ts'
import { fromProblem } from './problem.ts'
import {
  PATHS,
  type LogLine,
  type MigrateLine,
  type MigrateRequest,
  type OperationAnswers,
  type OperationData,
  type ProcessInfo,
  type ProcessTunnels,
  type PublishLine,
  type PublishRequest,
  type Problem,
} from './protocol.ts'
import { requireValid, type Definition } from './validate.ts'

/** How long an answer may take, in milliseconds. Ending a tunnel waits for its networks, which have a few seconds themselves. */
const ANSWER_TIMEOUT_MS = 10_000
/** How long an operation of a backend may take: its own limit is 30 seconds, and it says better what went wrong. */
const OPERATION_TIMEOUT_MS = 35_000
/** Largest answer: thousands of tunnels. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

/** The control API of another process. Answers are checked; what it tells of as an error is thrown as one. */
export class ControlClient {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  info(options: { readonly timeoutMs?: number } = {}): Promise<ProcessInfo> {
    return this.#ask({ method: 'GET', path: PATHS.info, ...options }, 'answers#/$defs/process')
  }

  tunnels(options: { readonly timeoutMs?: number } = {}): Promise<ProcessTunnels> {
    return this.#ask({ method: 'GET', path: PATHS.tunnels, ...options }, 'answers#/$defs/tunnels')
  }

  /** Ends a tunnel. */
  async stop(id: string, reason?: string): Promise<void> {
    const query = reason === undefined ? '' : `?${new URLSearchParams({ reason: reason.slice(0, 200) }).toString()}`
    await this.#ask({ method: 'DELETE', path: `${PATHS.tunnel(id)}${query}` }, 'answers#/$defs/stopped')
  }

  /** Ends the process. */
  async shutdown(): Promise<void> {
    await this.#ask({ method: 'POST', path: PATHS.shutdown }, 'answers#/$defs/stopping')
  }

  /** Carries out an operation of a backend, in every Beam instance of the process that uses it. */
  operate(call: { readonly backend: string; readonly operation: string; readonly input: OperationData }): Promise<OperationAnswers> {
    const { backend, operation, input } = call
    return this.#ask(
      { method: 'POST', path: PATHS.operation(backend, operation), body: input, timeoutMs: OPERATION_TIMEOUT_MS },
      'answers#/$defs/operation',
    )
  }

  /** Publishes a tunnel; the lines end with `failure` or `end`. Leaving the loop closes the connection. */
  publish(body: PublishRequest, signal?: AbortSignal): AsyncGenerator<PublishLine, void, void> {
    return this.#lines({ method: 'POST', path: PATHS.tunnels, body, signal }, 'answers#/$defs/publishLine')
  }

  /** Moves a tunnel; the lines end with `failure` or `migrated`. Leaving the loop before calls it off. */
  migrate(id: string, body: MigrateRequest, signal?: AbortSignal): AsyncGenerator<MigrateLine, void, void> {
    return this.#lines({ method: 'POST', path: PATHS.migrate(id), body, signal }, 'answers#/$defs/migrateLine')
  }

  /** What happened and happens. Leaving the loop closes the connection. */
  events(query: {
    readonly tunnel?: string
    readonly history: number
    readonly follow: boolean
    readonly signal?: AbortSignal
  }): AsyncGenerator<LogLine, void, void> {
    const { tunnel, history, follow, signal } = query
    const text = new URLSearchParams({
      history: String(history),
      follow: String(follow),
      ...(tunnel === undefined ? {} : { tunnel }),
    }).toString()
    return this.#lines({ method: 'GET', path: `${PATHS.events}?${text}`, signal }, 'answers#/$defs/logLine')
  }

  async #ask<T>(call: Call, definition: Definition): Promise<T> {
    const response = await this.#send({ timeoutMs: ANSWER_TIMEOUT_MS, ...call })
    const value = await bodyOf(response)
    requireValid(definition, value, 'The answer')
    return value as T
  }

  async *#lines<T>(call: Call, definition: Definition): AsyncGenerator<T, void, void> {
    const response = await this.#send(call)
    try {
      for await (const line of linesOf(response)) {
        const value = parse(line)
        requireValid(definition, value, 'A line of the answer')
        yield value as T
      }
    } catch (error) {
      if (call.signal?.aborted === true) throw call.signal.reason
      throw isBeamError(error) ? error : lost(error)
    } finally {
      response.destroy()
    }
  }

  #send({ method, path, body, signal, timeoutMs }: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const outgoing = request({
        socketPath: this.#socketPath,
        method,
        path,
        agent: false,
        headers: text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        ...(signal === undefined ? {} : { signal }),
        ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      })
      outgoing.on('timeout', () => outgoing.destroy(silent()))
      outgoing.on('error', (error) =>
        reject(signal?.aborted === true ? signal.reason : isBeamError(error) || isAbsent(error) ? error : lost(error)),
      )
      outgoing.on('response', (response) => {
        // The reader of the body sees that it is incomplete.
        response.on('error', () => {})
        if ((response.statusCode ?? 500) < 400) return resolve(response)
        bodyOf(response)
          .then((value) => {
            requireValid('answers#/$defs/error', value, 'The answer')
            throw fromProblem((value as { error: Problem }).error)
          })
          .catch(reject)
      })
      outgoing.end(text)
    })
  }
}

/** Whether an error means that nobody listens (any more). */
export function isAbsent(error: unknown): boolean {
  return !isBeamError(error) && ['ENOENT', 'ECONNREFUSED'].includes((error as NodeJS.ErrnoException).code ?? '')
}

async function bodyOf(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) throw new ProtocolError('The answer is too large.', { code: 'BEAM_ERR_CONTROL' })
    chunks.push(chunk)
  }
  return parse(Buffer.concat(chunks).toString('utf8'))
}

/** The lines of an answer. One that is larger than any answer is refused. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, void> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_ANSWER_BYTES) throw new ProtocolError('A line of the answer is too long.', { code: 'BEAM_ERR_CONTROL' })
    yield* lines
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ProtocolError('The answer is no JSON.', { code: 'BEAM_ERR_CONTROL', cause })
  }
}

function lost(cause: unknown): BackendUnavailableError {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  return new BackendUnavailableError(
    `The connection to the control API broke${code === '' ? '' : ` (${code})`}: the process at its other end is gone, or lets nobody in.`,
    { code: 'BEAM_ERR_DAEMON_LOST', cause },
  )
}

function silent(): BackendUnavailableError {
  return new BackendUnavailableError('The process does not answer.', {
    code: 'BEAM_ERR_DAEMON',
    hint: 'It may be stopped (Ctrl-Z) or very busy.',
  })
}
