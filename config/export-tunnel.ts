import { ConfigError } from '../core/index.ts'
import { isMap, valueAt } from './key-path.ts'
import { loadConfig, readSource, type LoadOptions } from './load-config.ts'
import { takeSecrets, type TakenSecret } from './mask.ts'
import { nearest } from './nearest.ts'
import { listWords } from './show-value.ts'

/** A declared tunnel with the networks that it uses, as the file says it; without what is secret. */
export interface ExportedTunnel {
  readonly name: string
  /** Its networks by preference: its own list, else those that are enabled. */
  readonly networks: readonly string[]
  /** Its entry, with the list of its networks. */
  readonly tunnel: Readonly<Record<string, unknown>>
  /** The entries of its networks. */
  readonly backends: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** What was left out: words that visitors must know, passwords of daemons. */
  readonly secrets: readonly TakenSecret[]
}

/**
 * Takes a declared tunnel out of the configuration that counts: what the file says, without defaults and what the environment overrides.
 * @throws ConfigError (`BEAM_ERR_TUNNEL_UNKNOWN`) when no such tunnel is declared · InvalidConfigError
 */
export async function exportTunnel(name: string, options: LoadOptions = {}): Promise<ExportedTunnel> {
  const { config, file, catalogue } = await loadConfig({ ...options, env: {}, ...pinned(options) })
  const declared = config.tunnels.find((one) => one.name === name)
  if (declared === undefined || file === undefined) throw unknownTunnel(name, file, config.tunnels)
  const { value: root } = await readSource(file, options)
  const enabled = config.backends.filter((one) => one.enabled).toSorted((a, b) => a.priority - b.priority)
  const networks = declared.backends ?? enabled.map((one) => one.name)
  const take = async (path: readonly [string, string]): Promise<{ value: Record<string, unknown>; secrets: readonly TakenSecret[] }> => {
    const { value, secrets } = await takeSecrets(valueAt(root, path) ?? { name: path[1] }, {
      schemaOf: catalogue.schemaOf,
      config: root,
      path,
    })
    return { value: isMap(value) ? value : { name: path[1] }, secrets }
  }
  const tunnel = await take(['tunnels', name])
  const backends = await Promise.all(networks.map((network) => take(['backends', network])))
  return {
    name,
    networks,
    tunnel: { ...tunnel.value, backends: [...networks] },
    backends: backends.map(({ value }) => value),
    secrets: [tunnel, ...backends].flatMap(({ secrets }) => secrets),
  }
}

/** The environment names the file, and nothing else. */
function pinned({ file, env = process.env }: LoadOptions): Pick<LoadOptions, 'file'> {
  const named = file ?? (env['BEAM_CONFIG'] === '' ? undefined : env['BEAM_CONFIG'])
  return named === undefined ? {} : { file: named }
}

function unknownTunnel(name: string, file: string | undefined, tunnels: ReadonlyArray<{ readonly name: string }>): ConfigError {
  const names = tunnels.map((one) => one.name)
  const guess = nearest(name, names)
  const where = file === undefined ? 'There is no beam.config.yaml that declares it.' : `${file} declares: ${listWords(names) || 'none'}.`
  return new ConfigError(`No tunnel is declared under the name ${JSON.stringify(name)}. ${where}`, {
    code: 'BEAM_ERR_TUNNEL_UNKNOWN',
    hint: guess === undefined ? `To declare it: beam config set tunnels.${name}.port 3000` : `Did you mean ${guess}?`,
  })
}
