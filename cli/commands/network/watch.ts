import { BeamCommand } from '../../base-command.ts'
import { parseDuration } from '../../input/duration.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { EVERY_FLAG, GEOIP_FLAG } from '../../input/network-command-flags.ts'
import { Lifetime } from '../../lifetime.ts'
import type { CountryOf } from '../../network/geoip.ts'
import { writeLines } from '../../network/lines.ts'
import { outputLook } from '../../network/terminal.ts'
import type { watchLines } from '../../output/network/dashboard-text.ts'
import { canDraw, showFrames } from '../../network/view.ts'

/** `beam network watch`: the map and the peers, on the whole terminal. */
export default class NetworkWatch extends BeamCommand {
  static override summary = 'Watch the map and the peers of your node, redrawn every second.'
  static override description =
    'On the whole terminal; q ends it. Where standard output is no terminal, and with --json: a line for whatever happens.'
  static override examples = ['<%= config.bin %> network watch', '<%= config.bin %> network watch --json']
  static override flags = { ...EVERY_FLAG, ...GEOIP_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkWatch)
    const everyMs = parseDuration(flags.every, '--every', { least: 500, most: 60_000 })
    using lifetime = new Lifetime()
    if (flags.json || !canDraw()) return await writeLines(lifetime, { everyMs, json: flags.json, paint: outputLook().paint })
    const lines = await drawing()
    const { geoip } = flags
    const countryOf = geoip === undefined ? undefined : await countries(geoip)
    await showFrames(lifetime, { everyMs, countryOf, history: false, lines })
  }
}

/** Apart from `using`: TypeScript would leave the path in import() as it is. */
async function drawing(): Promise<typeof watchLines> {
  return (await import('../../output/network/dashboard-text.ts')).watchLines
}

async function countries(file: string): Promise<CountryOf> {
  return (await import('../../network/geoip.ts')).openGeoip(file)
}
