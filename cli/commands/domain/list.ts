import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { allNames } from '../../network/domains.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'
import { table } from '../../output/table.ts'

/** `beam domain list`: names of own tunnels, and names that were visited. */
export default class DomainList extends BeamCommand {
  static override summary = 'List the names that your tunnels claim, and those that your visits accepted.'
  static override examples = ['<%= config.bin %> domain list', '<%= config.bin %> domain list --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(DomainList)
    const { own, accepted } = await allNames()
    if (flags.json) return writeJson({ own, accepted })
    const { columns, paint } = outputLook()
    const rows = [
      ...own.map(({ domain, tunnel, address }) => [domain, `claimed by ${tunnel}`, address]),
      ...accepted.map(({ name, address }) => [name, 'accepted', address]),
    ]
    const titles = [
      { title: 'NAME', max: 40 },
      { title: 'WHY', max: 24 },
      { title: 'ADDRESS', max: 80 },
    ]
    process.stdout.write(rows.length === 0 ? 'No names.\n' : table(titles, rows, columns, paint))
  }
}
