import { BeamCommand } from '../../base-command.ts'
import { parseDuration } from '../../input/duration.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { EVERY_FLAG } from '../../input/network-command-flags.ts'
import { Lifetime } from '../../lifetime.ts'
import { writeLines } from '../../network/lines.ts'
import { outputLook } from '../../network/terminal.ts'

/** `beam network monitor`: what happens, line by line. */
export default class NetworkMonitor extends BeamCommand {
  static override summary = 'Tell what happens on your nodes, line by line: peers that come and go, what is carried for others.'
  static override description = 'Looks every second and tells changes at once, figures every ten seconds. Runs until Ctrl-C.'
  static override examples = ['<%= config.bin %> network monitor', '<%= config.bin %> network monitor --every 5s --json']
  static override flags = { ...EVERY_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkMonitor)
    const everyMs = parseDuration(flags.every, '--every', { least: 500, most: 60_000 })
    using lifetime = new Lifetime()
    await writeLines(lifetime, { everyMs, json: flags.json, paint: outputLook().paint })
  }
}
