import { existsSync } from 'node:fs'
import { beamPaths } from '../config/paths.ts'
import type { BeamPaths } from '../core/paths.ts'
import { isBeamError } from '../core/errors.ts'
import type { PublishEvent } from '../core/tunnels/events.ts'
import { callersConfig } from './config-file.ts'
import type { FoundProcess } from './daemon/find-processes.ts'
import type { Publisher } from './daemon/publisher.ts'
import { DAEMON_SOCKET, socketPath } from './daemon/sockets.ts'
import { environmentOf, openBeam, type BeamFlags } from './open-beam.ts'

/** Who is to carry the tunnels. */
export interface CarrierFlags extends BeamFlags {
  /** Leave them with the daemon, which is started when none runs. */
  readonly detach: boolean | undefined
  /** Carry them in this process, whatever runs. */
  readonly noDaemon: boolean | undefined
  /** Folder of the package. */
  readonly root: string
  /** The configuration file that declares the tunnels. */
  readonly declaredIn?: string
}

/** Who carries the tunnels. */
export interface OpenedPublisher {
  readonly publisher: Publisher
  readonly by: 'command' | 'daemon'
}

/** Chooses who carries the tunnels of a command: the daemon when one runs (or is wanted), else this process. */
export async function openPublisher(flags: CarrierFlags, onEvent: (event: PublishEvent) => void): Promise<OpenedPublisher> {
  const { detach = false, noDaemon = false, declaredIn } = flags
  const paths = beamPaths()
  const daemon = detach ? await started(paths, onEvent) : noDaemon ? undefined : await running(paths, onEvent)
  if (daemon === undefined) return { publisher: await openLocal(flags), by: 'command' }
  const { RemotePublisher, sourceOf } = await import('./daemon/remote-publisher.ts')
  const config = declaredIn ?? (await callersConfig())
  const source = sourceOf({ ...(config === undefined ? {} : { config }), declared: declaredIn !== undefined, env: environmentOf(flags) })
  return { publisher: new RemotePublisher({ client: daemon.client, source, detach }), by: 'daemon' }
}

/** This process as the carrier. */
export async function openLocal(flags: CarrierFlags): Promise<Publisher> {
  const [{ LocalPublisher }, { processInfo }, beam] = await Promise.all([
    import('./daemon/local-publisher.ts'),
    import('./daemon/process-info.ts'),
    openBeam({ ...flags, file: flags.declaredIn }),
  ])
  return new LocalPublisher({ beam, paths: beamPaths(), info: () => processInfo(flags.root, 'command'), config: flags.declaredIn })
}

async function started(paths: BeamPaths, onEvent: (event: PublishEvent) => void): Promise<FoundProcess> {
  const { startDaemon } = await import('./daemon/start-daemon.ts')
  const { daemon, started } = await startDaemon(paths)
  if (started) {
    onEvent({
      event: 'warning',
      code: 'BEAM_WARN_DAEMON_STARTED',
      message: `No daemon ran, so one was started (process ${daemon.process.pid}).`,
    })
  }
  return daemon
}

/** The daemon that runs. One that cannot be used is told of, and the command goes on without it. */
async function running(paths: BeamPaths, onEvent: (event: PublishEvent) => void): Promise<FoundProcess | undefined> {
  if (process.platform !== 'win32' && !existsSync(socketPath(paths, DAEMON_SOCKET))) return undefined
  const { findDaemon } = await import('./daemon/find-processes.ts')
  try {
    return await findDaemon(paths)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const hint = isBeamError(error) && error.hint !== undefined ? ` ${error.hint}` : ''
    onEvent({ event: 'warning', code: 'BEAM_WARN_DAEMON_UNUSABLE', message: `The daemon is not used: ${why}${hint}` })
    return undefined
  }
}
