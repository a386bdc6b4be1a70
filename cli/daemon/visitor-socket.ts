import { beamPaths } from '../../config/paths.ts'
import type { Beam, Connection } from '../../plugins/beam.ts'
import { Carrier } from './carrier.ts'
import { CommandSocket } from './command-socket.ts'
import { operateAll } from './operate-all.ts'
import { processInfo } from './process-info.ts'

/**
 * Makes a command that visits answer the control API: it publishes nothing, but shows how its paths are (`beam status`), and the networks that
 * it uses can be asked (`beam tor newnym`).
 *
 * @param root - folder of the package
 * @param connections - those that it has when it is asked
 */
export function visitorSocket(beam: Beam, root: string, connections?: () => readonly Connection[]): CommandSocket {
  return new CommandSocket(beamPaths(), () => ({
    info: processInfo(root, 'command'),
    carrier: new Carrier(),
    ...(connections && { connections: () => connections().map(({ host, port, address, paths }) => ({ host, port, address, paths })) }),
    stop: async () => false,
    migrate: async () => false,
    operate: (backend, operation, input, signal) => operateAll([beam], { backend, operation, input, signal }),
  }))
}
