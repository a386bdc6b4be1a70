import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { allNames, registeredNames } from '../../network/domains.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'
import { foreignText } from '../../output/foreign-text.ts'

/** `beam domain list`: names of own tunnels, and names that were visited. */
export default class DomainList extends BeamCommand {
  static override summary = 'List the names that your tunnels claim, and those that your visits accepted.'
  static override examples = ['<%= config.bin %> domain list', '<%= config.bin %> domain list --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(DomainList)
    const { own, accepted } = await allNames()
    const registered = await registeredNames()
    if (flags.json) return writeJson({ own, accepted, registered })
    const { paint } = outputLook()
    const rows = [
      ...own.map(({ domain, tunnel, address }) => ({ name: domain, why: `claimed by your tunnel ${foreignText(tunnel)}`, address })),
      ...accepted.map(({ name, address }) => ({ name, why: 'accepted by a visit', address })),
      ...registered.map(({ name, key }) => ({ name, why: 'accepted at a meeting place, where its key is', address: key })),
    ]
    if (rows.length === 0) process.stdout.write('No names.\n')
    // An address keeps a line of its own: it must stay in one piece to be copied.
    for (const { name, why, address } of rows) process.stdout.write(`${paint.bold(name)}  ${why}\n  ${address}\n`)
  }
}
