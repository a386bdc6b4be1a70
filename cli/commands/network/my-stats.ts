import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { PERIOD_FLAG } from '../../input/network-command-flags.ts'
import { askAnyway, askWhereUsed } from '../../network/ask.ts'
import { parsePeriod } from '../../network/period.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam network my-stats`: what this machine does for others. */
export default class NetworkMyStats extends BeamCommand {
  static override summary = 'Show what this machine did for others: routes, data, uptime, peers helped.'
  static override description = 'From the history that is kept on this machine, and the nodes that are up.'
  static override examples = ['<%= config.bin %> network my-stats', '<%= config.bin %> network my-stats --period 7d']
  static override flags = { ...PERIOD_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkMyStats)
    const periodMs = parsePeriod(flags.period)
    const [period, nodes] = await Promise.all([
      askAnyway({ operation: 'history', shape: 'period', input: { periodMs, buckets: 24 } }),
      askWhereUsed({ operation: 'status', shape: 'status' }),
    ])
    const running = nodes.map(({ owner, answer: { participation, startedAt, relayed } }) => ({
      ...owner,
      ...(participation === undefined ? {} : { participation }),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(relayed === undefined ? {} : { relayed }),
    }))
    if (flags.json) return writeJson({ period, instances: running })
    const { myStatsText } = await import('../../output/network/period-text.ts')
    process.stdout.write(myStatsText(period, running, outputLook().paint))
  }
}
