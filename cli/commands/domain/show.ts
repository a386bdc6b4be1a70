import { string } from '@oclif/core/args'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { showName } from '../../network/domains.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'
import { labelled } from '../../output/table.ts'
import { EXIT } from '../../report-error.ts'

/** `beam domain show NAME`: who claims a name now. */
export default class DomainShow extends BeamCommand {
  static override summary = 'Show who claims a name now, which address your visits accepted, and whether a tunnel of yours claims it.'
  static override description = 'Changes nothing. Exit code 1 when nobody claims it.'
  static override examples = ['<%= config.bin %> domain show myapp.local']
  static override args = { name: string({ description: 'The name, such as myapp.local.', required: true }) }
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { args, flags } = await this.parse(DomainShow)
    const shown = await showName(args.name)
    if (shown.claimants.length === 0 && shown.own.length === 0) process.exitCode = EXIT.failed
    if (flags.json) return writeJson(shown)
    const { columns, paint } = outputLook()
    const { name, claimants, accepted, own } = shown
    const rows: Array<readonly [string, string]> = [
      ['Claimed by', claimants.length === 0 ? 'nobody who shows it now' : claimants.join(' ')],
      ['Accepted', accepted ?? 'nobody yet: the first visit decides'],
      ...own.map(({ tunnel, address }) => ['Your tunnel', `${tunnel} ${address}`] as const),
    ]
    process.stdout.write(`${paint.bold(name)}\n${labelled(rows, columns)}`)
  }
}
