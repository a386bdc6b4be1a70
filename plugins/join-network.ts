import { isBeamError, type PublishEvent } from '../core/index.ts'

/** Beam, as far as joining needs it. */
export interface Joining {
  /** Brings a network up. */
  start(backend: string): Promise<void>
  operate(backend: string, operation: string): Promise<Readonly<Record<string, unknown>>>
}

/**
 * Takes part in a network beside a tunnel that is not published there: the network's own node comes up, under a key of its own, and never
 * hears of the tunnel. A network that cannot be joined costs the tunnel nothing: `warn` says why.
 */
export async function joinNetwork(
  backend: string,
  beam: Joining,
  warn: (event: Extract<PublishEvent, { event: 'warning' }>) => void,
): Promise<void> {
  try {
    await beam.start(backend)
    const { id } = await beam.operate(backend, 'start')
    const node = typeof id === 'string' ? ` as the node ${id}` : ''
    warn({
      event: 'warning',
      backend,
      code: 'BEAM_WARN_JOINED',
      message: `This machine takes part in the ${backend}${node}, where its IP address is seen. The tunnel is not announced there, and nothing that is said there leads to it.`,
    })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const hint = isBeamError(error) && error.hint !== undefined ? ` ${error.hint}` : ''
    warn({
      event: 'warning',
      backend,
      code: 'BEAM_WARN_NOT_JOINED',
      message: `This machine does not take part in the ${backend}: ${why}${hint}`,
    })
  }
}
