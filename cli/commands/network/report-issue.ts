import { string } from '@oclif/core/args'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { REPORT_FLAG } from '../../input/network-command-flags.ts'
import { writeReport } from '../../network/write-report.ts'

/** `beam network report-issue`: the same, with what the user says. */
export default class NetworkReportIssue extends BeamCommand {
  static override summary = 'Write a report about a problem, with your words and everything private removed.'
  static override description = 'The report is a file on this machine: nothing is sent anywhere. Show it to whom you like.'
  static override examples = ['<%= config.bin %> network report-issue "connection drops"']
  static override args = { text: string({ description: 'What happened, in your words.', required: true }) }
  static override flags = { ...REPORT_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NetworkReportIssue)
    await writeReport({ root: this.config.root, output: flags.output, json: flags.json, issue: args.text })
  }
}
