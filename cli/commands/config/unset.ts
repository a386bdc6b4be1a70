import { string as stringArg } from '@oclif/core/args'
import { BeamCommand } from '../../base-command.ts'
import { configOptions, FILE_FLAGS } from '../../input/config-options.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { changeText, writeJson, writeProblems } from '../../output/config-text.ts'

/** `beam config unset`: takes one setting out of the file. */
export default class ConfigUnset extends BeamCommand {
  static override summary = 'Take one setting out of the file, so that its default holds.'
  static override examples = ['<%= config.bin %> config unset p2p.maxPeers', '<%= config.bin %> config unset tunnels.web']
  static override args = { path: stringArg({ description: 'The setting, such as p2p.maxPeers or tunnels.web.', required: true }) }
  static override flags = { ...FILE_FLAGS, ...JSON_FLAG }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigUnset)
    const { editConfig } = await import('../../../config/index.ts')
    const result = await editConfig({ unset: args.path }, await configOptions(flags))
    if (flags.json) return writeJson(result)
    writeProblems('Warning', result.warnings)
    process.stdout.write(changeText(result))
  }
}
