import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeDaemonStopped } from '../../output/control-text.ts'

/** `beam daemon stop`: ends the daemon. */
export default class DaemonStop extends BeamCommand {
  static override summary = 'End the daemon and the tunnels that it carries.'
  static override description =
    'Tunnels that were left with it (--detach) come back when it is started again; beam stop ends them for good. When none runs, nothing happens.'
  static override examples = ['<%= config.bin %> daemon stop']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonStop)
    const [{ stopDaemon }, { beamPaths }] = await Promise.all([import('../../daemon/start-daemon.ts'), import('../../../config/paths.ts')])
    writeDaemonStopped(flags, await stopDaemon(beamPaths()))
  }
}
