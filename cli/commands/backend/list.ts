import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeJson } from '../../output/config-text.ts'
import { stderrLogger } from '../../stderr-logger.ts'

/** `beam backend list`: the networks there are. */
export default class BackendList extends BeamCommand {
  static override summary = 'List the backends: enabled, installed, failed, and those that Beam knows but does not contain.'
  static override description =
    'Shows what each carries, whose IP address it hides from the other end, and where it is from. Loads the plugins that beam.config.yaml names, and starts nothing.'
  static override examples = ['<%= config.bin %> backend list', '<%= config.bin %> backend list --json']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(BackendList)
    const { backendOverviews } = await import('../../../plugins/backend-overview.ts')
    const backends = await backendOverviews({ configFile: true, logger: await stderrLogger(flags.verbose) })
    if (flags.json) {
      const { backendView } = await import('../../output/backend-view.ts')
      return writeJson({ backends: backends.map((backend) => backendView(backend)) })
    }
    const [{ listText }, { columnsOf }, { colours }] = await Promise.all([
      import('../../output/backend-text.ts'),
      import('../../output/layout.ts'),
      import('../../output/colours.ts'),
    ])
    process.stdout.write(listText(backends, columnsOf(process.stdout), colours(process.stdout)))
  }
}
