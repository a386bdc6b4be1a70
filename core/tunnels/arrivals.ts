import type { StreamHandler } from '../backend.ts'
import type { BackendCapabilities } from '../capabilities.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { letFlow, MultipathAcceptor } from '../streams/index.ts'

/** What takes a tunnel's streams, and how. */
export interface ArrivalsSetup {
  /** Takes every visitor's stream. */
  readonly handler: StreamHandler
  /** Whether streams over several networks are put together. */
  readonly joins: boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** Takes what arrives on any network of a tunnel: puts together what is one connection over several, and says that it is there where visitors ask. */
export class Arrivals {
  readonly #setup: ArrivalsSetup
  #acceptor: MultipathAcceptor | undefined

  constructor(setup: ArrivalsSetup) {
    this.#setup = setup
  }

  /** Whether visitors' first bytes on a network have to be looked at. */
  looksAt({ opensUnheard = false }: BackendCapabilities): boolean {
    return this.#setup.joins || opensUnheard
  }

  /** Takes the streams of one network. */
  on(capabilities: BackendCapabilities): StreamHandler {
    if (!this.looksAt(capabilities)) return this.#setup.handler
    const { handler } = this.#setup
    this.#acceptor ??= new MultipathAcceptor({
      ...this.#setup,
      handler: (stream, visitor) => {
        letFlow(stream)
        handler(stream, visitor)
      },
    })
    return this.#acceptor.handle
  }

  /** Ends what was put together; harmless when repeated. */
  close(): void {
    this.#acceptor?.close()
  }
}
