import { BeamCommand } from '../base-command.ts'
import { parseDuration } from '../input/duration.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { EVERY_FLAG, GEOIP_FLAG } from '../input/network-command-flags.ts'
import { Lifetime } from '../lifetime.ts'
import type { Frame, Size } from '../output/network/dashboard-text.ts'
import type { Colours } from '../output/colours.ts'
import type { CountryOf } from './geoip.ts'
import { writeLines } from './lines.ts'
import { outputLook } from './terminal.ts'
import { canDraw, showFrames } from './view.ts'

/** What is drawn again and again. */
export interface Drawing {
  /** Whether it shows the last hour. */
  readonly history: boolean
  readonly lines: (frame: Frame, size: Size, paint: Colours) => readonly string[]
}

/** A command that shows the node on the whole terminal; where there is none, and with `--json`, it tells what happens line by line. */
export abstract class ViewCommand extends BeamCommand {
  static override description =
    'On the whole terminal; q ends it. Where standard output is no terminal, and with --json: a line for whatever happens.'
  static override flags = { ...EVERY_FLAG, ...GEOIP_FLAG, ...JSON_FLAG }

  /** Loaded only when it is drawn. */
  protected abstract drawing(): Promise<Drawing>

  async run(): Promise<void> {
    const { flags } = await this.parse(ViewCommand)
    const everyMs = parseDuration(flags.every, '--every', { least: 500, most: 60_000 })
    using lifetime = new Lifetime()
    if (flags.json || !canDraw()) return await writeLines(lifetime, { everyMs, json: flags.json, paint: outputLook().paint })
    const [drawing, countryOf] = await Promise.all([this.drawing(), flags.geoip === undefined ? undefined : countries(flags.geoip)])
    await showFrames(lifetime, { everyMs, countryOf, ...drawing })
  }
}

/** Apart from `using`: TypeScript would leave the path in import() as it is. */
async function countries(file: string): Promise<CountryOf> {
  return (await import('./geoip.ts')).openGeoip(file)
}
