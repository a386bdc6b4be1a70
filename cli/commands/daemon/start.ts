import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeDaemon } from '../../output/control-text.ts'

/** `beam daemon start`: starts the daemon in the background. */
export default class DaemonStart extends BeamCommand {
  static override summary = 'Start the daemon in the background.'
  static override description =
    'Returns when it answers. There is one for each user; when it runs already, nothing happens. Tunnels that were left with it come back.'
  static override examples = ['<%= config.bin %> daemon start', '<%= config.bin %> daemon start --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonStart)
    const [{ startDaemon }, { beamPaths }] = await Promise.all([import('../../daemon/start-daemon.ts'), import('../../../config/paths.ts')])
    const { daemon, started } = await startDaemon(beamPaths())
    await writeDaemon(flags, daemon, started)
  }
}
