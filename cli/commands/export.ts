import { boolean, string } from '@oclif/core/flags'
import type { ExportedTunnel } from '../../config/export-tunnel.ts'
import { BeamCommand } from '../base-command.ts'
import { configOptions } from '../input/config-options.ts'
import { CONFIG_FLAG, JSON_FLAG } from '../input/flags.ts'
import { readPassphrase } from '../input/passphrase.ts'
import { writeJson } from '../output/config-text.ts'

/** `beam export`: a declared tunnel as a file for another machine. */
export default class Export extends BeamCommand {
  static override summary = 'Print a declared tunnel with the settings of its networks, for beam import on another machine.'
  static override description =
    'Private keys and secret settings are left out, and the file names what was. With --with-keys they are in it, encrypted with a passphrase (age format): with them the other machine has the same addresses. Stop the tunnel here before it is published there: two publishers with one key take each other’s visitors.'
  static override examples = [
    '<%= config.bin %> export --tunnel api-server > config.yaml',
    '<%= config.bin %> export --tunnel api-server --with-keys > config.yaml',
  ]
  static override flags = {
    tunnel: string({ description: 'Name of the tunnel.', required: true, helpGroup: 'TUNNEL', helpValue: 'NAME' }),
    'with-keys': boolean({ description: 'Add private keys and secret settings, encrypted with a passphrase.', helpGroup: 'TUNNEL' }),
    'passphrase-file': string({
      description: 'Read the passphrase from the first line of a file. Default: BEAM_PASSPHRASE, else it is asked for.',
      helpGroup: 'TUNNEL',
      helpValue: 'FILE',
      dependsOn: ['with-keys'],
    }),
    ...CONFIG_FLAG,
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Export)
    const [{ exportTunnel }, { exchangeText }, { formatKeyPath }] = await Promise.all([
      import('../../config/export-tunnel.ts'),
      import('../../config/exchange-file.ts'),
      import('../../config/key-path.ts'),
    ])
    const options = await configOptions(flags)
    const exported = await exportTunnel(flags.tunnel, options)
    const paths = exported.secrets.map(({ path }) => formatKeyPath(path))
    const keys = flags['with-keys']
      ? await sealedKeys(exported, { file: options.file, passphraseFile: flags['passphrase-file'] })
      : undefined
    const content = {
      tunnels: [{ ...exported.tunnel, name: exported.name }],
      backends: exported.backends.map((backend) => ({ ...backend, name: String(backend['name']) })),
      omitted: paths,
      ...(keys === undefined ? {} : { keys }),
    }
    if (flags.json) return writeJson(content)
    process.stdout.write(exchangeText(content, heading(exported.name, keys !== undefined, paths)))
    if (keys === undefined && paths.length > 0) process.stderr.write(`Left out, because it is secret: ${paths.join(', ')}\n`)
  }
}

function heading(name: string, withKeys: boolean, secrets: readonly string[]): string {
  const what = withKeys
    ? 'Its keys are below, encrypted: whoever has the passphrase has its addresses.'
    : `Without its keys: elsewhere it gets other addresses.${secrets.length > 0 ? ' What is secret was left out too.' : ''}`
  return `The tunnel ${name}, written by beam export. To use it: beam import FILE\n${what}`
}

async function sealedKeys(
  { name, networks, secrets }: Pick<ExportedTunnel, 'name' | 'networks' | 'secrets'>,
  { file, passphraseFile }: { readonly file: string | undefined; readonly passphraseFile: string | undefined },
): Promise<string> {
  const { checkPassphrase, collectKeys, seal, serializeKeys } = await import('../../plugins/tunnel-keys/index.ts')
  const collected = await collectKeys({ tunnel: name, networks, beam: { configFile: file ?? true } })
  const passphrase = await readPassphrase({ file: passphraseFile, env: process.env['BEAM_PASSPHRASE'] }, 'new')
  checkPassphrase(passphrase)
  return seal(serializeKeys({ ...collected, secrets }), passphrase)
}
