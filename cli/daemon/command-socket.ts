import { ensureFolders } from '../../config/paths.ts'
import type { BeamPaths } from '../../core/paths.ts'
import type { ControlHost } from './host.ts'

/**
 * How long a command may take before it answers the control API without anything being ready, in milliseconds: the mesh is ready sooner,
 * and is not held up; whoever waits for a slow network wants to ask why (`beam status`, `beam tor status`).
 */
const ANSWER_AFTER_MS = 500

/** The control API of a command in the foreground, on a socket of its own. */
export class CommandSocket implements AsyncDisposable {
  readonly #paths: BeamPaths
  readonly #host: () => ControlHost
  #server: Promise<AsyncDisposable | undefined> | undefined
  #timer: NodeJS.Timeout | undefined
  #ended = false

  /** @param host - asked when the socket is made */
  constructor(paths: BeamPaths, host: () => ControlHost) {
    this.#paths = paths
    this.#host = host
  }

  /** Makes the socket in a moment. */
  soon(): void {
    this.#timer ??= setTimeout(() => this.now(), ANSWER_AFTER_MS)
  }

  /** Makes the socket, which delays nobody. */
  now(): void {
    clearTimeout(this.#timer)
    if (!this.#ended) this.#server ??= this.#serve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    await (await this.#server)?.[Symbol.asyncDispose]()
  }

  async #serve(): Promise<AsyncDisposable | undefined> {
    const [{ serveControl }, { commandSocket }] = await Promise.all([import('./control-server.ts'), import('./sockets.ts')])
    try {
      ensureFolders(this.#paths)
      return await serveControl(this.#host(), this.#paths, commandSocket())
    } catch {
      // Without a socket the command works all the same; beam doctor says what is wrong with the folder.
      return undefined
    }
  }
}
