import { string as stringArg } from '@oclif/core/args'
import { BeamCommand } from '../../base-command.ts'
import { configOptions, FILE_FLAGS } from '../../input/config-options.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { changeText, writeJson, writeProblems } from '../../output/config-text.ts'

/** `beam config set`: changes one setting in the file. */
export default class ConfigSet extends BeamCommand {
  static override summary = 'Change one setting in the file, keeping its comments, order and quotes.'
  static override description =
    'The result is checked before it is written. Lists are written as a,b or [a, b], an empty one as none or []; maps as { key: value }. Without any file the user’s own is made. What is not there yet is added: tunnels.web.port makes a tunnel called web.'
  static override examples = [
    '<%= config.bin %> config set p2p.participation full',
    '<%= config.bin %> config set backends.mesh.priority 2',
    '<%= config.bin %> config set tunnels.web.backends mesh,tor',
  ]
  static override args = {
    path: stringArg({ description: 'The setting, such as p2p.maxPeers or tunnels.web.port.', required: true }),
    value: stringArg({ description: 'The value.', required: true }),
  }
  static override flags = { ...FILE_FLAGS, ...JSON_FLAG }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigSet)
    const { editConfig } = await import('../../../config/index.ts')
    const result = await editConfig({ set: args.path, text: args.value }, await configOptions(flags))
    if (flags.json) return writeJson(result)
    writeProblems('Warning', result.warnings)
    process.stdout.write(changeText(result))
  }
}
