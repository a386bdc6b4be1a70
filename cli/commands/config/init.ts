import { resolve } from 'node:path'
import { boolean, string } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { FILE_FLAGS } from '../../input/config-options.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeJson } from '../../output/config-text.ts'

/** `beam config init`: a new configuration file with comments. */
export default class ConfigInit extends BeamCommand {
  static override summary = 'Write a beam.config.yaml with comments, in this folder or as the user’s own.'
  static override examples = ['<%= config.bin %> config init', '<%= config.bin %> config init --user']
  static override flags = {
    file: string({
      description: 'The file. Default: beam.config.yaml in this folder.',
      helpGroup: 'FILE',
      helpValue: 'FILE',
      exclusive: ['user'],
    }),
    user: FILE_FLAGS.user,
    force: boolean({ description: 'Replace a file that is there.', helpGroup: 'FILE' }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigInit)
    const { beamPaths, CONFIG_FILE_NAMES, initConfig, userFile } = await import('../../../config/index.ts')
    const file = flags.user ? userFile(beamPaths()) : resolve(flags.file ?? CONFIG_FILE_NAMES[0])
    await initConfig(file, { force: flags.force })
    if (flags.json) writeJson({ file })
    else process.stdout.write(`${file} written. Look through it, then: beam config validate\n`)
  }
}
