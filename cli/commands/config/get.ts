import { string as stringArg } from '@oclif/core/args'
import { BeamCommand } from '../../base-command.ts'
import { configOptions, FILE_FLAGS, REVEAL_FLAG } from '../../input/config-options.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { valueText, writeJson } from '../../output/config-text.ts'
import { EXIT } from '../../report-error.ts'

/** `beam config get`: one setting as it holds. */
export default class ConfigGet extends BeamCommand {
  static override summary = 'Print one setting as it holds. Exit code 1 when it is not set and has no default.'
  static override description = 'Secrets are masked in whole sections, and printed when they are asked for by their own path.'
  static override examples = [
    '<%= config.bin %> config get p2p.maxPeers',
    '<%= config.bin %> config get tunnels.web.port',
    '<%= config.bin %> config get "tunnels[0]" --json',
  ]
  static override args = { path: stringArg({ description: 'The setting, such as p2p.maxPeers or tunnels.web.port.', required: true }) }
  static override flags = { ...FILE_FLAGS, ...REVEAL_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigGet)
    const { getSetting, loadConfig, maskSecrets, parseKeyPath } = await import('../../../config/index.ts')
    const loaded = await loadConfig(await configOptions(flags))
    const value = await getSetting(loaded, args.path)
    const path = parseKeyPath(args.path)
    const whole = typeof value === 'object' && value !== null
    const shown = whole && !flags.reveal ? await maskSecrets(value, loaded.catalogue.schemaOf, loaded.config, path) : value
    if (value === undefined) process.exitCode = EXIT.failed
    if (flags.json) return writeJson({ path: args.path, value: shown ?? null })
    if (value === undefined) process.stderr.write(`${args.path} is not set.\n`)
    else process.stdout.write(valueText(shown))
  }
}
