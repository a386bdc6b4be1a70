import { string as stringArg } from '@oclif/core/args'
import { boolean, string } from '@oclif/core/flags'
import { BeamCommand } from '../base-command.ts'
import { configOptions, FILE_FLAGS } from '../input/config-options.ts'
import { JSON_FLAG, SECRET_FLAGS } from '../input/flags.ts'
import { readPassphrase } from '../input/passphrase.ts'
import { readSecret } from '../input/secret.ts'
import { writeJson, writeProblems } from '../output/config-text.ts'

/** `beam import`: takes a tunnel of a file into the configuration. */
export default class Import extends BeamCommand {
  static override summary = 'Take a tunnel that beam export wrote into beam.config.yaml, with its keys if the file has them.'
  static override description =
    'Changes nothing but what the tunnel needs: comments stay, settings of networks that are declared already stay this machine’s own, and a tunnel or key that is there is not replaced unless you say so. Starts nothing: beam up publishes it.'
  static override examples = [
    '<%= config.bin %> import config.yaml',
    '<%= config.bin %> import config.yaml --backend i2p',
    '<%= config.bin %> import config.yaml --as api-2 --user',
  ]
  static override args = {
    source: stringArg({ name: 'FILE', description: 'What beam export wrote, or a beam.config.yaml.', required: true }),
  }
  static override flags = {
    tunnel: string({ description: 'Which tunnel, when the file has several.', helpGroup: 'TUNNEL', helpValue: 'NAME' }),
    as: string({ description: 'Import it under this name.', helpGroup: 'TUNNEL', helpValue: 'NAME' }),
    backends: string({
      char: 'b',
      aliases: ['backend'],
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'Networks to use in place of its own, by preference.',
      helpGroup: 'TUNNEL',
      helpValue: 'A,B',
    }),
    replace: boolean({ description: 'Replace a tunnel of this name.', helpGroup: 'TUNNEL' }),
    'allow-commands': boolean({ description: 'Let the file name programs that Beam runs as backends.', helpGroup: 'TUNNEL' }),
    'without-keys': boolean({ description: 'Leave the keys of the file alone.', helpGroup: 'KEYS' }),
    'replace-keys': boolean({
      description: 'Replace keys that are there; their addresses are lost.',
      helpGroup: 'KEYS',
      exclusive: ['without-keys'],
    }),
    'passphrase-file': string({
      description: 'Read the passphrase from the first line of a file. Default: BEAM_PASSPHRASE, else it is asked for.',
      helpGroup: 'KEYS',
      helpValue: 'FILE',
      exclusive: ['without-keys'],
    }),
    ...SECRET_FLAGS,
    ...FILE_FLAGS,
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Import)
    const { importTunnel } = await import('../import-tunnel.ts')
    const secret = await readSecret({ secret: flags.secret, file: flags['secret-file'] })
    const { tunnel, as, backends } = flags
    const result = await importTunnel({
      source: args.source,
      wish: {
        ...(tunnel === undefined ? {} : { tunnel }),
        ...(as === undefined ? {} : { as }),
        ...(backends === undefined ? {} : { backends: [...new Set(backends)] }),
        ...(secret === undefined ? {} : { secret }),
        replace: flags.replace,
        allowCommands: flags['allow-commands'],
      },
      options: await configOptions(flags),
      withKeys: !flags['without-keys'],
      replaceKeys: flags['replace-keys'],
      passphrase: () => readPassphrase({ file: flags['passphrase-file'], env: process.env['BEAM_PASSPHRASE'] }, 'existing'),
    })
    if (flags.json) return writeJson(result)
    writeProblems('Warning', result.warnings)
    for (const note of result.notes) process.stderr.write(`${note}\n`)
    const { file, networks, changed, keys } = result
    process.stdout.write(
      `${result.tunnel} is ${changed ? 'now' : 'already'} in ${file}, on ${networks.join(', ') || 'the enabled networks'}.\n`,
    )
    if (keys !== undefined) {
      const what = [...(keys.service ? ['service key'] : []), ...keys.networks].join(', ')
      process.stdout.write(`Its keys were restored (${what}): it has the same addresses. Stop it elsewhere before it is published here.\n`)
    }
    process.stdout.write('To publish it: beam up\n')
  }
}
