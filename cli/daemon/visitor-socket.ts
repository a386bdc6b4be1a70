import { beamPaths } from '../../config/paths.ts'
import type { Beam } from '../../plugins/beam.ts'
import { Carrier } from './carrier.ts'
import { CommandSocket } from './command-socket.ts'
import { operateAll } from './operate-all.ts'
import { processInfo } from './process-info.ts'

/**
 * Makes a command that visits answer the control API: it publishes nothing, but the networks that it uses can be asked (`beam tor newnym`).
 *
 * @param root - folder of the package
 */
export function visitorSocket(beam: Beam, root: string): CommandSocket {
  return new CommandSocket(beamPaths(), () => ({
    info: processInfo(root, 'command'),
    carrier: new Carrier(),
    stop: async () => false,
    migrate: async () => false,
    operate: (backend, operation, input, signal) => operateAll([beam], { backend, operation, input, signal }),
  }))
}
