import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeDaemon } from '../../output/control-text.ts'
import { EXIT } from '../../report-error.ts'

/** `beam daemon status`: whether the daemon runs. */
export default class DaemonStatus extends BeamCommand {
  static override summary = 'Say whether the daemon runs, since when, and how much it carries.'
  static override description = 'Exit code 1 when none runs.'
  static override examples = ['<%= config.bin %> daemon status', '<%= config.bin %> daemon status --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonStatus)
    const [{ findDaemon }, { beamPaths }] = await Promise.all([
      import('../../daemon/find-processes.ts'),
      import('../../../config/paths.ts'),
    ])
    const daemon = await findDaemon(beamPaths())
    await writeDaemon(flags, daemon)
    if (daemon === undefined) process.exitCode = EXIT.failed
  }
}
