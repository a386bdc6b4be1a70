import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { snapshots } from '../../network/ask.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam network status`: this user’s nodes. */
export default class NetworkStatus extends BeamCommand {
  static override summary = 'Show your nodes of the mesh: peers, what they know, what they do for others.'
  static override description = 'Asks every Beam process of yours that uses the mesh. Exit code 1 when none does.'
  static override examples = ['<%= config.bin %> network status', '<%= config.bin %> network status --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkStatus)
    const nodes = await snapshots()
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, status }) => ({ ...owner, ...status })) })
    const { statusText } = await import('../../output/network/status-text.ts')
    const { columns, paint } = outputLook()
    process.stdout.write(nodes.map((node) => statusText(node, Date.now(), columns, paint)).join('\n'))
  }
}
