import { string as stringArg } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { ConfigError } from '../../core/errors.ts'
import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { writeStopped } from '../output/control-text.ts'

/** `beam stop`: ends tunnels. */
export default class Stop extends BeamCommand {
  static override summary = 'End tunnels, of the daemon or of commands in the foreground.'
  static override description =
    'A command whose last tunnel is ended ends too, with exit code 0. The daemon itself goes on: see beam daemon stop. An address that was kept by a name is the same when the name is published again.'
  static override strict = false
  static override usage = 'stop ID|NAME ... [FLAGS]'
  static override examples = ['<%= config.bin %> stop web', '<%= config.bin %> stop --all']
  static override args = { tunnel: stringArg({ description: 'Id or name of a tunnel (see beam list).' }) }
  static override flags = { all: boolean({ description: 'All tunnels of this user.' }), ...JSON_FLAG }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Stop)
    const words = argv.map(String)
    if ((words.length === 0) === !flags.all) {
      throw new ConfigError(flags.all ? '--all and names exclude each other.' : 'Which tunnel? Give an id or a name, or --all.', {
        code: 'BEAM_ERR_USAGE',
        hint: 'To see what runs: beam list',
      })
    }
    const [{ findProcesses }, { allTunnels, selectTunnels }, { stopTunnels }, { beamPaths }] = await Promise.all([
      import('../daemon/find-processes.ts'),
      import('../daemon/select-tunnels.ts'),
      import('../daemon/stop-tunnels.ts'),
      import('../../config/paths.ts'),
    ])
    const found = await findProcesses(beamPaths())
    const selected = flags.all ? allTunnels(found) : words.flatMap((word) => selectTunnels(found, word))
    writeStopped(flags, await stopTunnels(selected, 'stopped by beam stop'))
  }
}
