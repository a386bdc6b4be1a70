import { BeamCommand } from '../../base-command.ts'
import { configOptions, FILE_FLAGS } from '../../input/config-options.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { askWhereUsed } from '../../network/ask.ts'
import { differences, settingsOf } from '../../network/config-test.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson, writeProblems } from '../../output/config-text.ts'
import { wrap } from '../../output/layout.ts'
import { ownerText } from '../../output/network/words.ts'
import { labelled } from '../../output/table.ts'
import { EXIT } from '../../report-error.ts'

/** `beam network test-config`: the settings of the mesh, checked. */
export default class NetworkTestConfig extends BeamCommand {
  static override summary = 'Check the settings of the mesh, say what each does, and whether running nodes follow them.'
  static override description = 'Exit code 2 when the file is wrong.'
  static override examples = ['<%= config.bin %> network test-config', '<%= config.bin %> network test-config --json']
  static override flags = { ...FILE_FLAGS, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkTestConfig)
    const { formatProblem, InvalidConfigError, loadConfig } = await import('../../../config/index.ts')
    try {
      const { config, file, warnings, overrides } = await loadConfig(await configOptions(flags))
      const settings = settingsOf(config)
      const nodes = await askWhereUsed({ operation: 'status', shape: 'status' })
      const running = nodes.map(({ owner, answer }) => ({ owner, differs: differences(config, answer) }))
      const where = file === undefined ? {} : { file }
      if (flags.json) {
        const problems = warnings.map((problem) => formatProblem(problem))
        return writeJson({
          ok: true,
          ...where,
          settings,
          problems,
          running: running.map(({ owner, differs }) => ({ pid: owner.pid, differs })),
        })
      }
      writeProblems('Warning', warnings)
      const { columns, paint } = outputLook()
      process.stdout.write(`${paint.green('✓')} ${file === undefined ? 'No file was found: the defaults hold.' : `${file} is valid.`}\n`)
      const from = (setting: string): string => {
        const variable = overrides.find(({ path }) => path === setting)?.variable
        return variable === undefined ? '' : ` (${variable})`
      }
      const rows = settings.map(({ setting, value, meaning }) => [setting, `${valueText(value)}${from(setting)}: ${meaning}`] as const)
      process.stdout.write(labelled(rows, columns))
      for (const { owner, differs } of running) {
        for (const difference of differs) {
          process.stdout.write(`${paint.yellow('!')} ${wrap(`${ownerText(owner)}: ${difference}`, columns - 2).join('\n  ')}\n`)
        }
      }
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error
      process.exitCode = EXIT.usage
      if (flags.json)
        return writeJson({ ok: false, settings: [], problems: error.problems.map((problem) => formatProblem(problem)), running: [] })
      writeProblems('Error', error.problems)
    }
  }
}

function valueText(value: unknown): string {
  return Array.isArray(value) ? (value.length === 0 ? 'none' : value.join(', ')) : String(value)
}
