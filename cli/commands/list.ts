import { BeamCommand } from '../base-command.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { writeList } from '../output/control-text.ts'

/** `beam list`: the tunnels that run. */
export default class List extends BeamCommand {
  static override summary = 'List the tunnels that run: of the daemon and of commands in the foreground.'
  static override examples = ['<%= config.bin %> list', '<%= config.bin %> list --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(List)
    const [{ findProcesses }, { beamPaths }] = await Promise.all([import('../daemon/find-processes.ts'), import('../../config/paths.ts')])
    writeList(flags, await findProcesses(beamPaths()))
  }
}
