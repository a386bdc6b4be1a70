import { ensureFolders } from '../../config/paths.ts'
import type { BeamPaths } from '../../core/paths.ts'
import type { ControlHost } from './host.ts'

/** Makes a command in the foreground answer the control API, on a socket of its own. Undefined when it cannot. */
export async function serveCommand(paths: BeamPaths, host: ControlHost): Promise<AsyncDisposable | undefined> {
  const [{ serveControl }, { commandSocket }] = await Promise.all([import('./control-server.ts'), import('./sockets.ts')])
  try {
    ensureFolders(paths)
    return await serveControl(host, paths, commandSocket())
  } catch {
    // Without a socket the command works all the same; beam doctor says what is wrong with the folder.
    return undefined
  }
}
