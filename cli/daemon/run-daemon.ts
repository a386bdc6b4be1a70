import { resolve } from 'node:path'
import { BackendUnavailableError } from '../../core/errors.ts'
import { CleanupStack } from '../../core/cleanup.ts'
import { openKeyStore } from '../../core/identity/key-store.ts'
import { tryProcessLock } from '../../core/identity/process-lock.ts'
import type { BeamPaths } from '../../core/paths.ts'
import { ensureFolders } from '../../config/paths.ts'
import { isPluginFault } from '../../plugins/faults.ts'
import type { Lifetime } from '../lifetime.ts'
import { serveControl } from './control-server.ts'
import { DaemonHost } from './daemon-host.ts'
import { Instances } from './instances.ts'
import { KeptTunnels } from './kept-tunnels.ts'
import { openLog } from './log-file.ts'
import { processInfo } from './process-info.ts'
import { DAEMON_SOCKET } from './sockets.ts'

/** What the daemon needs. */
export interface DaemonSetup {
  readonly paths: BeamPaths
  /** Folder of the package. */
  readonly root: string
  readonly lifetime: Lifetime
}

/**
 * Is the daemon, until its lifetime ends: one for each user (more exactly, for each runtime folder).
 * @throws BackendUnavailableError (`BEAM_ERR_DAEMON_RUNNING`) when there is one
 */
export async function runDaemon({ paths, root, lifetime }: DaemonSetup): Promise<void> {
  ensureFolders(paths)
  leaveFolder(paths)
  const result = await tryProcessLock(paths, 'daemon')
  if (!('lock' in result)) {
    throw new BackendUnavailableError(`The daemon runs already${result.heldBy > 0 ? ` (process ${result.heldBy})` : ''}.`, {
      code: 'BEAM_ERR_DAEMON_RUNNING',
    })
  }
  await using cleanup = new CleanupStack()
  cleanup.defer(() => result.lock[Symbol.asyncDispose]())
  const log = openLog(paths)
  cleanup.defer(() => log[Symbol.asyncDispose]())
  const { logger } = log
  process.on('uncaughtException', (error) => {
    if (!isPluginFault(error)) void endAfterFault(error, log)
  })
  const kept = new KeptTunnels(paths)
  const wanted = await kept.load()
  const host = new DaemonHost({
    info: processInfo(root, 'daemon'),
    instances: new Instances({ paths, logger }),
    kept,
    keys: openKeyStore(paths),
    logger,
    shutdown: () => lifetime.end('beam daemon stop'),
  })
  const server = await serveControl(host, paths, DAEMON_SOCKET)
  cleanup.defer(() => server[Symbol.asyncDispose]())
  // Tunnels end before the server, so that attached commands are told.
  cleanup.defer(() => host.close())
  logger.info('the daemon runs', { version: host.info.version, kept: wanted.length })
  host.restore(wanted)
  logger.info('the daemon ends', { reason: await lifetime.ended() })
}

/** Works in a folder of Beam's own, so that the one it was started in can be removed or unmounted. */
function leaveFolder({ state }: BeamPaths): void {
  const home = process.env['BEAM_HOME'] ?? ''
  if (home !== '') process.env['BEAM_HOME'] = resolve(home)
  process.chdir(state)
}

/** A process in an unknown state must not go on; the system, or the user, starts it again, and what is kept comes back. */
async function endAfterFault(error: Error, log: ReturnType<typeof openLog>): Promise<never> {
  log.logger.error('the daemon ends because of a fault', { reason: error.message, stack: error.stack })
  await log[Symbol.asyncDispose]()
  process.exit(1)
}
