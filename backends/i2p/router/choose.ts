import { isBeamError, type BeamPaths, type Clock, type Logger, type Progress } from '../../../core/index.ts'
import type { I2PConfig } from '../config.generated.ts'
import { BackendUnavailableError } from '../../../core/index.ts'
import { DEFAULT_SAM_PORT } from '../constants.ts'
import { noRouter } from '../sentences.ts'
import { AttachedRouter } from './attached-router.ts'
import { PrivateRouter } from './private-router.ts'
import { findI2pd } from './program.ts'
import type { Router } from './router.ts'

/** What the choice depends on. */
export interface RouterChoice {
  readonly config: Pick<I2PConfig, 'sam_port' | 'router' | 'binary' | 'reseed' | 'router_options'>
  readonly paths: BeamPaths
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * The router to use, up: the one at the configured port, else one that answers at SAM's usual port, else a private one.
 * @throws BackendUnavailableError, or the signal's reason
 */
export async function openRouter(
  { config, paths, clock, logger }: RouterChoice,
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: ((progress: Progress) => void) | undefined },
): Promise<Router> {
  const { sam_port, router: mode, binary, reseed } = config
  let failure: unknown
  if (mode !== 'private') {
    const attached = new AttachedRouter({ host: '127.0.0.1', port: sam_port ?? DEFAULT_SAM_PORT }, clock)
    try {
      await attached.start(options)
      return attached
    } catch (error) {
      options.signal?.throwIfAborted()
      if (sam_port !== undefined || mode === 'attach') throw error
      failure = error
    }
  }
  const program = process.platform === 'win32' ? undefined : await findI2pd(binary)
  if (program === undefined) throw binary === undefined ? noRouter(failure) : notThere(binary)
  if (failure !== undefined && !nobodyThere(failure))
    logger.warn('the usual SAM port is no SAM port', { reason: (failure as Error).message })
  const own = new PrivateRouter({ program, reseed: reseed === 'on', options: config.router_options, paths, clock, logger })
  try {
    await own.start(options)
    return own
  } catch (error) {
    await own[Symbol.asyncDispose]()
    throw error
  }
}

function nobodyThere(error: unknown): boolean {
  return isBeamError(error) && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED'
}

function notThere(binary: string): BackendUnavailableError {
  return new BackendUnavailableError(`There is no program ${binary}, or it may not be run.`, {
    hint: 'Mend backends.i2p.config.binary, or leave it out: i2pd is then looked for on the search path.',
  })
}
