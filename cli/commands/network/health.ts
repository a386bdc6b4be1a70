import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { snapshots } from '../../network/ask.ts'
import { healthOf } from '../../network/health.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'
import { EXIT } from '../../report-error.ts'

/** `beam network health`: what is good and bad about the nodes. */
export default class NetworkHealth extends BeamCommand {
  static override summary = 'Judge your nodes by what was measured: peers, diversity, latency, trust, discovery.'
  static override description = 'Exit code 1 when something is bad, or no Beam process uses the mesh.'
  static override examples = ['<%= config.bin %> network health', '<%= config.bin %> network health --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkHealth)
    const nodes = (await snapshots()).map((node) => ({ owner: node.owner, health: healthOf(node) }))
    if (nodes.some(({ health }) => health.verdict === 'bad')) process.exitCode = EXIT.failed
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, health }) => ({ ...owner, ...health })) })
    const { healthText } = await import('../../output/network/status-text.ts')
    const { columns, paint } = outputLook()
    process.stdout.write(nodes.map(({ owner, health }) => healthText(health, owner, columns, paint)).join('\n'))
  }
}
