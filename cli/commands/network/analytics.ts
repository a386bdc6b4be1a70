import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { PERIOD_FLAG } from '../../input/network-command-flags.ts'
import { askAnyway } from '../../network/ask.ts'
import { parsePeriod } from '../../network/period.ts'
import { hoursOf } from '../../network/hours.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'

/** Stretches into which a period is cut: hours for the longest for which the hours of the day tell something. */
const BUCKETS = 336

/** `beam network analytics`: what changed, and when. */
export default class NetworkAnalytics extends BeamCommand {
  static override summary = 'Compare a period with the one before it, and the hours of the day.'
  static override examples = ['<%= config.bin %> network analytics', '<%= config.bin %> network analytics --period 7d']
  static override flags = { ...PERIOD_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkAnalytics)
    const periodMs = parsePeriod(flags.period)
    const question = { operation: 'history', shape: 'period', input: { periodMs, buckets: BUCKETS } } as const
    const period = await askAnyway(question)
    const before = await askAnyway({ ...question, input: { ...question.input, agoMs: periodMs } })
    const hours = hoursOf(period, BUCKETS)
    if (flags.json) return writeJson({ period, before, ...(hours.length === 0 ? {} : { hours }) })
    const { analyticsText } = await import('../../output/network/period-text.ts')
    const { columns, paint } = outputLook()
    process.stdout.write(analyticsText({ period, before, hours }, columns, paint))
  }
}
