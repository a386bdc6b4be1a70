import { JSONRPCClient, JSONRPCServer, createJSONRPCErrorResponse, createJSONRPCRequest, type JSONRPCErrorResponse } from 'json-rpc-2.0'
import { BackendUnavailableError, ConfigError, InternalError, type Clock } from '../../core/index.ts'
import { brokeProtocol, refusal, tooSlow } from './failures.ts'
import {
  MAX_BYTES_PER_WINDOW,
  MAX_LINE_BYTES,
  MAX_MESSAGES_PER_WINDOW,
  MAX_PENDING_REQUESTS,
  RATE_WINDOW_MS,
  TIME_LIMITS_MS,
} from './limits.ts'
import { LineSplitter } from './lines.ts'
import type { Method, Methods, Notification } from './messages.ts'
import { RateWindow } from './rate.ts'
import { NOTIFICATION_NAMES, asResult, notificationProblem, paramsProblem, parseLine, resultProblem } from './schema.ts'

/** Room for what stands around the parameters of a request. */
const ENVELOPE_BYTES = 256

/** What a connection needs of its surroundings. */
export interface RpcComponents {
  /** Name of the backend, for errors. */
  readonly plugin: string
  readonly clock: Clock
  readonly timeLimitsMs?: Partial<Record<Method, number>> | undefined
  /** Writes one line to the executable. */
  readonly write: (line: string) => void
  readonly onNotification: (notification: Notification) => void
  /** Told once when the executable broke the protocol; the connection is closed already. */
  readonly onBroken: (error: Error) => void
}

interface Pending {
  readonly method: Method
  readonly fail: (error: unknown) => void
}

/** JSON-RPC 2.0 with one executable, over lines (newline-delimited JSON), checked against the schemas in both directions. */
export class RpcConnection {
  readonly #parts: RpcComponents
  readonly #client: JSONRPCClient
  readonly #server: JSONRPCServer
  readonly #lines = new LineSplitter(MAX_LINE_BYTES)
  readonly #messages: RateWindow
  readonly #bytes: RateWindow
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #closed: Error | undefined

  constructor(parts: RpcComponents) {
    this.#parts = parts
    this.#messages = new RateWindow(MAX_MESSAGES_PER_WINDOW, RATE_WINDOW_MS, parts.clock)
    this.#bytes = new RateWindow(MAX_BYTES_PER_WINDOW, RATE_WINDOW_MS, parts.clock)
    this.#client = new JSONRPCClient((message) => this.#send(message))
    this.#server = new JSONRPCServer({ errorListener: (_message, error) => this.#break(error) })
    for (const name of NOTIFICATION_NAMES) {
      this.#server.addMethod(name, (params: unknown) => parts.onNotification({ method: name, params } as Notification))
    }
  }

  /**
   * Calls a method. Rejects with the signal's reason when it fires (and tells the executable so with `cancel`).
   * @throws TimeoutError, ProtocolError, BackendUnavailableError, and whatever the executable's refusal stands for
   */
  async request<M extends Method>(
    method: M,
    params: Methods[M]['params'],
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<Methods[M]['result']> {
    const { signal } = options
    signal?.throwIfAborted()
    if (this.#closed !== undefined) throw this.#closed
    if (this.#pending.size >= MAX_PENDING_REQUESTS) {
      throw new BackendUnavailableError(`The backend “${this.#parts.plugin}” has ${MAX_PENDING_REQUESTS} requests to answer already.`, {
        retry: 'now',
      })
    }
    const wrong = paramsProblem(method, params)
    if (wrong !== undefined) throw new InternalError(`The parameters of ${method} are wrong: ${wrong}.`)
    if (Buffer.byteLength(JSON.stringify(params)) > MAX_LINE_BYTES - ENVELOPE_BYTES) {
      throw new ConfigError(
        `What is to be handed to the backend “${this.#parts.plugin}” with ${method} is longer than ${MAX_LINE_BYTES} bytes.`,
      )
    }
    const id = ++this.#lastId
    const limitMs = this.#parts.timeLimitsMs?.[method] ?? TIME_LIMITS_MS[method]
    return await new Promise((resolve, reject) => {
      const onAbort = (): void => giveUp(signal?.reason)
      const cancelTimer = this.#parts.clock.after(limitMs, () => giveUp(tooSlow(this.#parts.plugin, method, limitMs)))
      const done = (): void => {
        cancelTimer()
        signal?.removeEventListener('abort', onAbort)
        this.#pending.delete(id)
      }
      const fail = (error: unknown): void => {
        done()
        reject(error)
        // Makes the library forget the request too: it keeps every one until its answer.
        this.#client.receive(createJSONRPCErrorResponse(id, 0, 'given up'))
      }
      const giveUp = (reason: unknown): void => {
        fail(reason)
        this.#notifyCancel(id)
      }
      this.#pending.set(id, { method, fail })
      signal?.addEventListener('abort', onAbort, { once: true })
      Promise.resolve(this.#client.requestAdvanced(createJSONRPCRequest(id, method, params))).then((response) => {
        if (!this.#pending.has(id)) return
        done()
        const failure = response as JSONRPCErrorResponse
        if (failure.error === undefined) resolve(asResult(method, response.result))
        else reject(refusal(this.#parts.plugin, method, failure.error))
      }, fail)
    })
  }

  /** Takes what the executable wrote. */
  receive(chunk: Buffer): void {
    if (this.#closed !== undefined) return
    if (!this.#bytes.allows(chunk.length)) return this.#breakWith('it floods its standard output')
    try {
      for (const line of this.#lines.push(chunk)) {
        if (line.length === 0) continue
        if (!this.#messages.allows()) return this.#breakWith('it floods its standard output')
        this.#receiveLine(line)
        if (this.#closed !== undefined) return
      }
    } catch (error) {
      this.#break(brokeProtocol(this.#parts.plugin, error instanceof Error ? error.message : 'a bad line', error))
    }
  }

  /** Ends the connection: everything that waits for an answer is rejected with this error. */
  close(error: Error): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    for (const { fail } of [...this.#pending.values()]) fail(error)
  }

  #receiveLine(line: Buffer): void {
    const incoming = parseLine(line)
    switch (incoming.kind) {
      case 'garbage':
        return this.#breakWith(`it wrote ${incoming.problem}`)
      case 'call':
        return this.#receiveCall(incoming.message)
      case 'success':
      case 'failure': {
        const id = incoming.message.id as number
        if (id > this.#lastId) return this.#breakWith(`it answered request ${id}, which was never made`)
        const method = this.#pending.get(id)?.method
        // Late: given up already.
        if (method === undefined) return
        const wrong = incoming.kind === 'success' ? resultProblem(method, incoming.message.result) : undefined
        if (wrong !== undefined) return this.#breakWith(`its result of ${method} is wrong: ${wrong}`)
        this.#client.receive(incoming.message)
      }
    }
  }

  #receiveCall(message: { readonly method: string; readonly params?: unknown; readonly id?: unknown }): void {
    const name = NOTIFICATION_NAMES.find((known) => known === message.method)
    if (name !== undefined) {
      const wrong = notificationProblem(name, message.params)
      if (wrong !== undefined) return this.#breakWith(`its notification ${name} is wrong: ${wrong}`)
    }
    // Unknown notifications are ignored and unknown requests refused, by the library.
    void Promise.resolve(this.#server.receive(message as Parameters<JSONRPCServer['receive']>[0])).then((answer) => {
      if (answer !== null && this.#closed === undefined) this.#send(answer)
    })
  }

  #notifyCancel(request: number): void {
    if (this.#closed === undefined) this.#client.notify('cancel', { request })
  }

  #send(message: unknown): void {
    if (this.#closed !== undefined) throw this.#closed
    this.#parts.write(`${JSON.stringify(message)}\n`)
  }

  #breakWith(what: string): void {
    this.#break(brokeProtocol(this.#parts.plugin, what))
  }

  #break(cause: unknown): void {
    if (this.#closed !== undefined) return
    const error = cause instanceof Error ? cause : brokeProtocol(this.#parts.plugin, 'a notification could not be taken')
    this.close(error)
    this.#parts.onBroken(error)
  }
}
