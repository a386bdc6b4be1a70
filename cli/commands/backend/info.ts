import { string as stringArg } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { Lifetime } from '../../lifetime.ts'
import { writeJson } from '../../output/config-text.ts'
import { stderrLogger } from '../../stderr-logger.ts'

/** `beam backend info`: what one network can do and how it is set up. */
export default class BackendInfo extends BeamCommand {
  static override summary = 'Show what a backend can do, where it is from, and its settings.'
  static override description =
    'Starts nothing, unless --start is given: then the backend is brought up, asked for its state and ended again, which uses its network. What an executable can do is known only so.'
  static override examples = [
    '<%= config.bin %> backend info mesh',
    '<%= config.bin %> backend info mesh --start',
    '<%= config.bin %> backend info mesh --json',
  ]
  static override args = { name: stringArg({ description: 'Name of the backend.', required: true }) }
  static override flags = {
    start: boolean({ description: 'Bring it up to ask for its state and version; this uses its network.', helpGroup: 'NETWORK' }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackendInfo)
    const { backendOverview } = await import('../../../plugins/backend-overview.ts')
    const { signal } = new Lifetime()
    const options = { configFile: true, logger: await stderrLogger(flags.verbose), start: flags.start, signal } as const
    const backend = await backendOverview(args.name, options)
    if (flags.json) {
      const [{ backendView }, { optionRows }] = await Promise.all([
        import('../../output/backend-view.ts'),
        import('../../output/schema-table.ts'),
      ])
      const { configSchema } = backend
      return writeJson({
        ...backendView(backend),
        ...(configSchema === undefined ? {} : { options: optionRows(configSchema), configSchema }),
      })
    }
    const [{ infoText }, { columnsOf }, { colours }] = await Promise.all([
      import('../../output/backend-text.ts'),
      import('../../output/layout.ts'),
      import('../../output/colours.ts'),
    ])
    process.stdout.write(infoText(backend, columnsOf(process.stdout), colours(process.stdout)))
  }
}
