import { stringify } from 'yaml'
import { ConfigError } from '../core/index.ts'
import { isMap } from './key-path.ts'
import { readConfigFile } from './read-file.ts'
import { InvalidConfigError, inOrder } from './problem.ts'
import { parseSource } from './source.ts'

/** The content of a file that `beam export` writes. Without `omitted` and `keys` it is a configuration like any other. */
export interface ExchangeFile {
  readonly backends: ReadonlyArray<Readonly<Record<string, unknown>> & { readonly name: string }>
  readonly tunnels: ReadonlyArray<Readonly<Record<string, unknown>> & { readonly name: string }>
  /** Secret settings that are not here in clear, as paths; they come with the keys. */
  readonly omitted: readonly string[]
  /** Keys and secret settings, encrypted (age, ASCII armour). */
  readonly keys?: string
}

/** The text of a file that can be imported elsewhere. */
export function exchangeText({ backends, tunnels, omitted, keys }: ExchangeFile, heading: string): string {
  const content = { backends, tunnels, ...(omitted.length > 0 && { omitted }), ...(keys !== undefined && { keys }) }
  return `${heading
    .split('\n')
    .map((line) => `# ${line}\n`)
    .join('')}${stringify(content, { lineWidth: 0 })}`
}

/**
 * Reads a file that `beam export` wrote, or a configuration.
 * @throws InvalidConfigError · ConfigError (`BEAM_ERR_EXPORT_INVALID`)
 */
export async function readExchangeFile(file: string): Promise<ExchangeFile> {
  const source = parseSource((await readConfigFile(file, file)).text, file)
  if (source.problems.length > 0) throw new InvalidConfigError(inOrder(source.problems))
  const root = isMap(source.value) ? source.value : {}
  const { omitted = [], keys } = root
  const tunnels = named(root['tunnels'])
  const backends = named(root['backends'] ?? [])
  const wrong =
    tunnels === undefined || tunnels.length === 0
      ? 'it declares no tunnels'
      : backends === undefined
        ? 'its backends are no list of things with names'
        : !Array.isArray(omitted) || !omitted.every((path) => typeof path === 'string')
          ? 'omitted is no list of settings'
          : keys !== undefined && typeof keys !== 'string'
            ? 'keys is no text'
            : undefined
  if (wrong === undefined) {
    return { tunnels: tunnels ?? [], backends: backends ?? [], omitted: omitted as string[], ...(typeof keys === 'string' && { keys }) }
  }
  throw new ConfigError(`${file} cannot be imported: ${wrong}.`, {
    code: 'BEAM_ERR_EXPORT_INVALID',
    hint: 'It has to be what beam export wrote, or a beam.config.yaml with tunnels.',
  })
}

/** A list of maps that all have a name. */
function named(value: unknown): ExchangeFile['tunnels'] | undefined {
  if (!Array.isArray(value)) return undefined
  const whole = value.every((item) => isMap(item) && typeof item['name'] === 'string')
  return whole ? (value as unknown as ExchangeFile['tunnels']) : undefined
}
