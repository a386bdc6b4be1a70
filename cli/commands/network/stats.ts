import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { PERIOD_FLAG } from '../../input/network-command-flags.ts'
import { askAnyway } from '../../network/ask.ts'
import { parsePeriod } from '../../network/period.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'
import { statsText, STRETCHES } from '../../output/network/period-text.ts'

/** `beam network stats`: the past of this machine’s nodes. */
export default class NetworkStats extends BeamCommand {
  static override summary = 'Show the past of your nodes: peers, latency, uptime, what was carried for others.'
  static override description =
    'From samples that are taken every minute while a node is up and kept on this machine for 32 days: figures only, no keys or addresses.'
  static override examples = [
    '<%= config.bin %> network stats',
    '<%= config.bin %> network stats --period 7d',
    '<%= config.bin %> network stats --period 24h --json',
  ]
  static override flags = { ...PERIOD_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkStats)
    const period = await askAnyway({
      operation: 'history',
      shape: 'period',
      input: { periodMs: parsePeriod(flags.period), buckets: STRETCHES },
    })
    if (flags.json) return writeJson({ period })
    const { columns, paint } = outputLook()
    process.stdout.write(statsText(period, columns, paint))
  }
}
