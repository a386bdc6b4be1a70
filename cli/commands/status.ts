import { string as stringArg } from '@oclif/core/args'
import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { writeStatus } from '../output/control-text.ts'

/** `beam status`: what runs, in full. */
export default class Status extends BeamCommand {
  static override summary = 'Show what runs: the daemon, commands in the foreground, and their tunnels with all that is known of them.'
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status web', '<%= config.bin %> status --json']
  static override args = { tunnel: stringArg({ description: 'Id or name of a tunnel. Default: all.' }) }
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Status)
    const [{ findProcesses }, { selectTunnels }, { beamPaths }] = await Promise.all([
      import('../daemon/find-processes.ts'),
      import('../daemon/select-tunnels.ts'),
      import('../../config/paths.ts'),
    ])
    const found = await findProcesses(beamPaths())
    if (args.tunnel === undefined) return writeStatus(flags, found)
    const processes = selectTunnels(found, args.tunnel).map(({ carrier, tunnel }) => ({ ...carrier, tunnels: [tunnel] }))
    writeStatus(flags, { processes, silent: found.silent })
  }
}
