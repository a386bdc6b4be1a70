import { BeamCommand } from '../../base-command.ts'
import { configOptions, FILE_FLAGS, REVEAL_FLAG } from '../../input/config-options.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { valueText, writeJson, writeProblems } from '../../output/config-text.ts'

/** `beam config show`: the configuration as it holds. */
export default class ConfigShow extends BeamCommand {
  static override summary = 'Print the configuration as it holds: the file, the defaults and what the environment overrides.'
  static override description = 'Secrets are masked.'
  static override examples = ['<%= config.bin %> config show', '<%= config.bin %> config show --json']
  static override flags = { ...FILE_FLAGS, ...REVEAL_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigShow)
    const { loadConfig, maskSecrets } = await import('../../../config/index.ts')
    const { config, file, overrides, warnings, catalogue } = await loadConfig(await configOptions(flags))
    const shown = flags.reveal ? config : await maskSecrets(config, catalogue.schemaOf)
    if (flags.json) return writeJson({ file: file ?? null, config: shown, overrides, warnings })
    writeProblems('Warning', warnings)
    const from = overrides.map(({ variable, path }) => `# ${variable} gives ${path}\n`)
    process.stdout.write(`# ${file ?? 'No file was found: these are the defaults.'}\n${from.join('')}${valueText(shown)}`)
  }
}
