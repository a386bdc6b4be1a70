import { boolean } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG, LINES_FLAG } from '../../input/flags.ts'
import { parseCount } from '../../input/count.ts'
import { Lifetime } from '../../lifetime.ts'
import { logLineText } from '../../output/control-text.ts'

/** `beam daemon logs`: the daemon's log. */
export default class DaemonLogs extends BeamCommand {
  static override summary = 'Print the log of the daemon.'
  static override description = 'The end of its log file, also when it does not run. For what happened to one tunnel, see beam logs.'
  static override examples = [
    '<%= config.bin %> daemon logs',
    '<%= config.bin %> daemon logs --lines 500 --json',
    '<%= config.bin %> daemon logs --follow',
  ]
  static override flags = {
    ...LINES_FLAG,
    follow: boolean({ char: 'f', description: 'Go on with what is written from now on, until Ctrl-C.', helpGroup: 'LOG' }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(DaemonLogs)
    const lines = parseCount(flags.lines, '--lines')
    using lifetime = new Lifetime()
    const [{ readLog }, { logPath }, { beamPaths }] = await load()
    const options = { lines, ...(flags.follow ? { follow: lifetime.signal } : {}) }
    for await (const line of readLog(logPath(beamPaths()), options)) process.stdout.write(flags.json ? `${line}\n` : logLineText(line))
  }
}

/** Apart, because TypeScript 6 forgets to rewrite the `.ts` of an import() in a function that has a `using`. */
const load = () => Promise.all([import('../../daemon/read-log.ts'), import('../../daemon/log-path.ts'), import('../../../config/paths.ts')])
