import { BeamCommand } from '../../base-command.ts'
import { configOptions, FILE_FLAGS } from '../../input/config-options.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeJson } from '../../output/config-text.ts'
import { EXIT } from '../../report-error.ts'

/** `beam config path`: the file that counts here. */
export default class ConfigPath extends BeamCommand {
  static override summary = 'Print the path of the configuration file that counts in this folder.'
  static override description = 'Exit code 1 when there is none; the path is then the one at which “beam config set” makes it.'
  static override examples = ['<%= config.bin %> config path']
  static override flags = { ...FILE_FLAGS, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigPath)
    const { locateConfig, userFile } = await import('../../../config/index.ts')
    const { access } = await import('node:fs/promises')
    const options = await configOptions(flags)
    const file = (await locateConfig(options))?.file ?? userFile(options.paths)
    const exists = await access(file).then(
      () => true,
      () => false,
    )
    if (!exists) process.exitCode = EXIT.failed
    if (flags.json) return writeJson({ file, exists })
    process.stdout.write(`${file}\n`)
    if (!exists) process.stderr.write('This file does not exist.\n')
  }
}
