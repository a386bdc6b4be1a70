import { string as stringArg } from '@oclif/core/args'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { SAVE_FLAG } from '../../input/save-plugins.ts'
import { Lifetime } from '../../lifetime.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam plugins remove`: the opposite of `add`. */
export default class PluginsRemove extends BeamCommand {
  static override summary = 'Remove a plugin from Beam’s own data folder.'
  static override description =
    'With --save it is taken out of the list plugins in beam.config.yaml too; without it you are asked at a terminal.'
  static override examples = [
    '<%= config.bin %> plugins remove beam-backend-example --save',
    '<%= config.bin %> plugins remove beam-backend-example --json',
  ]
  static override args = { name: stringArg({ description: 'Name of the package, or of its backend.', required: true }) }
  static override flags = { ...SAVE_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PluginsRemove)
    const [{ beamPaths }, { removePlugin }, { savePlugins }] = await Promise.all([
      import('../../../config/index.ts'),
      import('../../../plugins/installed/index.ts'),
      import('../../input/save-plugins.ts'),
    ])
    const { signal } = new Lifetime()
    const removed = await removePlugin(args.name, { paths: beamPaths(), signal })
    if (!flags.json) process.stdout.write(`Removed ${removed.package}\n`)
    const saved = await savePlugins({ remove: removed.package }, flags)
    if (flags.json) writeJson({ plugins: [removed], ...saved })
  }
}
