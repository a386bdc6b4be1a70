import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { REPORT_FLAG } from '../../input/network-command-flags.ts'
import { writeReport } from '../../network/write-report.ts'

/** `beam network diagnose`: a report that can be shown to others. */
export default class NetworkDiagnose extends BeamCommand {
  static override summary = 'Write a report of your network with everything private removed.'
  static override description = 'Keys, addresses, names and IP addresses are left out. Nothing is sent anywhere.'
  static override examples = ['<%= config.bin %> network diagnose', '<%= config.bin %> network diagnose > network-report.txt']
  static override flags = { ...REPORT_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkDiagnose)
    await writeReport({ root: this.config.root, output: flags.output, json: flags.json, pipes: true })
  }
}
