import type { BeamPaths } from '../../core/paths.ts'
import { newTunnelId } from '../../core/tunnels/ids.ts'
import type { Beam, PublishTarget } from '../../plugins/beam.ts'
import { Carrier } from './carrier.ts'
import { CommandSocket } from './command-socket.ts'
import { operateAll } from './operate-all.ts'
import type { ProcessInfo, StreamEnd } from './protocol.ts'
import type { Published, Publisher, Publishing } from './publisher.ts'

/** What a process needs to carry tunnels itself. */
export interface LocalSetup {
  readonly beam: Beam
  readonly paths: BeamPaths
  readonly info: () => ProcessInfo
  /** The configuration file that declares the tunnels. */
  readonly config?: string | undefined
}

/**
 * Publishes in this process, which then answers the control API on a socket of its own: `beam list`, `status`, `stop` and `logs` work with
 * it as they do with the daemon. The socket is made when the first tunnel is ready, so that it delays nothing, or when that takes long.
 */
export class LocalPublisher implements Publisher {
  readonly #setup: LocalSetup
  readonly #carrier = new Carrier()
  /** What follows when somebody else ends a tunnel. */
  readonly #onAsked = new Map<string, (end: StreamEnd) => void>()
  readonly #socket: CommandSocket

  constructor(setup: LocalSetup) {
    this.#setup = setup
    const { beam, paths, info } = setup
    this.#socket = new CommandSocket(paths, () => ({
      info: info(),
      carrier: this.#carrier,
      stop: (id, reason) => {
        this.#onAsked.delete(id)
        return this.#carrier.stop(id, reason)
      },
      migrate: async (id, request, signal) => (await this.#carrier.migrate(id, request, signal)) !== undefined,
      operate: (backend, operation, input, signal) => operateAll([beam], { backend, operation, input, signal }),
    }))
  }

  async publish(target: PublishTarget, { onEvent, signal, ...options }: Publishing): Promise<Published> {
    const id = newTunnelId()
    let end: (end: StreamEnd) => void = () => {}
    const ended = new Promise<StreamEnd>((resolve) => (end = resolve))
    this.#onAsked.set(id, end)
    const tunnel = this.#carrier.add({ id, target, options, config: this.#setup.config }, (event) => {
      onEvent(event)
      // Somebody asked for it, or the whole instance ended.
      if (event.event === 'stopped') queueMicrotask(() => end(this.#onAsked.has(id) ? 'daemon' : 'asked'))
    })
    this.#socket.soon()
    try {
      await tunnel.start(this.#setup.beam, signal)
    } catch (error) {
      this.#carrier.drop(id)
      // Somebody ended it before it was ready: that is no failure.
      if (!this.#onAsked.has(id)) return { ended: Promise.resolve('asked'), stop: async () => {} }
      throw error
    }
    this.#socket.now()
    return {
      ended,
      stop: async (reason) => {
        await this.#carrier.stop(id, reason)
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]()
    await this.#setup.beam[Symbol.asyncDispose]()
  }
}
