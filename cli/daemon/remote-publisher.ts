import { resolve } from 'node:path'
import { BackendUnavailableError, isBeamError } from '../../core/errors.ts'
import type { PublishEvent } from '../../core/tunnels/events.ts'
import type { PublishTarget } from '../../plugins/beam.ts'
import type { ControlClient } from './control-client.ts'
import { fromProblem } from './problem.ts'
import type { PublishLine, Source, StreamEnd } from './protocol.ts'
import type { Published, Publisher, Publishing } from './publisher.ts'

/** Variables that are not settings of backends: folders, the file, what is asked for on the command line, and debugging. */
const NOT_SENT = ['BEAM_HOME', 'BEAM_CONFIG', 'BEAM_SECRET', 'BEAM_DEBUG']
/** Longest value that the API takes. */
const MAX_VALUE_LENGTH = 16_384

/** The settings that count for this command, for the daemon to use. */
export function sourceOf(options: { readonly config?: string; readonly declared?: boolean; readonly env: NodeJS.ProcessEnv }): Source {
  const { config, declared, env } = options
  const settings = Object.entries(env).filter(
    ([name, value]) =>
      /^BEAM_[A-Z0-9_]{1,60}$/.test(name) && !NOT_SENT.includes(name) && value !== undefined && value.length <= MAX_VALUE_LENGTH,
  ) as [string, string][]
  return {
    ...(config === undefined ? {} : { config: resolve(config) }),
    ...(declared === true ? { declared } : {}),
    environment: Object.fromEntries(settings),
  }
}

/** Publishes through the daemon: a tunnel ends with its connection, unless it is left there (`detach`). */
export class RemotePublisher implements Publisher {
  readonly #client: ControlClient
  readonly #source: Source
  readonly #detach: boolean
  readonly #ending = new AbortController()

  constructor(components: { readonly client: ControlClient; readonly source: Source; readonly detach: boolean }) {
    this.#client = components.client
    this.#source = components.source
    this.#detach = components.detach
  }

  async publish(target: PublishTarget, { onEvent, signal, ...options }: Publishing): Promise<Published> {
    signal.throwIfAborted()
    const connection = new AbortController()
    const onAbort = (): void => connection.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const until = AbortSignal.any([connection.signal, this.#ending.signal])
    const lines = this.#client.publish({ target, options, source: this.#source, detach: this.#detach }, until)
    return new Promise((resolve, reject) => {
      const ended = follow(lines, (event) => {
        onEvent(event)
        if (event.event !== 'ready') return
        // A tunnel that is up ends in order, not by cutting its life line.
        signal.removeEventListener('abort', onAbort)
        resolve({ ended, stop: (reason) => this.#stop(event.tunnel.id, reason, ended) })
      })
      // One that was ended before it was ready has nothing left to stop.
      ended.then(() => resolve({ ended, stop: async () => {} }), reject)
    })
  }

  async #stop(id: string, reason: string, ended: Promise<StreamEnd>): Promise<void> {
    try {
      await this.#client.stop(id, reason)
    } catch (error) {
      if (isBeamError(error) && error.code === 'BEAM_ERR_TUNNEL_UNKNOWN') return
      throw error
    }
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('the command ends'))
  }
}

/** Reads the lines of a tunnel to their end. */
async function follow(lines: AsyncIterable<PublishLine>, onEvent: (event: PublishEvent) => void): Promise<StreamEnd> {
  for await (const line of lines) {
    if ('failure' in line) throw fromProblem(line.failure)
    if ('end' in line) return line.end
    onEvent('missed' in line ? missedEvent(line.missed) : line)
  }
  throw new BackendUnavailableError('The daemon ended in the middle of an answer.', { code: 'BEAM_ERR_DAEMON_LOST' })
}

/** What a reader is told who was too slow for some events. */
function missedEvent(count: number): PublishEvent {
  return { event: 'warning', code: 'BEAM_WARN_EVENTS_MISSED', message: `${count} events are missing here: they were read too slowly.` }
}
