import { string as stringArg } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { BeamCommand } from '../base-command.ts'
import { parseCount } from '../input/count.ts'
import { JSON_FLAG, LINES_FLAG } from '../input/flags.ts'
import { Lifetime } from '../lifetime.ts'
import { eventPrinter } from '../output/log-text.ts'

/** `beam logs`: what happened to tunnels. */
export default class Logs extends BeamCommand {
  static override summary = 'Print what happened to a tunnel, or to all that run.'
  static override description =
    'Each process remembers the last 1,000 events of its tunnels. For the log of the daemon itself, see beam daemon logs.'
  static override examples = [
    '<%= config.bin %> logs web',
    '<%= config.bin %> logs --follow',
    '<%= config.bin %> logs web --lines 10 --json',
  ]
  static override args = { tunnel: stringArg({ description: 'Id or name of a tunnel. Default: all.' }) }
  static override flags = {
    ...LINES_FLAG,
    follow: boolean({
      char: 'f',
      description: 'Go on with what happens from now on, until Ctrl-C or the end of the process.',
      helpGroup: 'LOG',
    }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs)
    const lines = parseCount(flags.lines, '--lines')
    using lifetime = new Lifetime()
    const [{ findProcesses }, { followEvents }, { beamPaths }] = await load()
    const found = await findProcesses(beamPaths())
    const print = eventPrinter(flags.json)
    await followEvents(found, { word: args.tunnel, lines, follow: flags.follow, signal: lifetime.signal }, print)
  }
}

/** Apart, because TypeScript 6 forgets to rewrite the `.ts` of an import() in a function that has a `using`. */
const load = () =>
  Promise.all([import('../daemon/find-processes.ts'), import('../daemon/follow-events.ts'), import('../../config/paths.ts')])
