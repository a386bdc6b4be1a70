import { BeamCommand } from '../../base-command.ts'
import { configOptions, FILE_FLAGS } from '../../input/config-options.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { writeJson, writeProblems } from '../../output/config-text.ts'
import { EXIT } from '../../report-error.ts'

/** `beam config validate`: tells every mistake with its place. */
export default class ConfigValidate extends BeamCommand {
  static override summary = 'Check the configuration: the file, the environment and the settings of every backend.'
  static override description =
    'Tells every mistake as file:line:column. Exit code 2 when something is wrong; warnings alone are exit code 0.'
  static override examples = ['<%= config.bin %> config validate', '<%= config.bin %> config validate --file other.yaml --json']
  static override flags = { ...FILE_FLAGS, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigValidate)
    const { InvalidConfigError, loadConfig } = await import('../../../config/index.ts')
    const options = await configOptions(flags)
    try {
      const { file, warnings } = await loadConfig(options)
      if (flags.json) return writeJson({ valid: true, file: file ?? null, problems: [], warnings })
      writeProblems('Warning', warnings)
      process.stdout.write(file === undefined ? 'No file was found: the defaults hold.\n' : `${file} is valid.\n`)
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error
      process.exitCode = EXIT.usage
      if (flags.json) return writeJson({ valid: false, problems: error.problems, warnings: [] })
      writeProblems('Error', error.problems)
      if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`)
    }
  }
}
