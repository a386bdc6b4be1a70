import { isDeepStrictEqual } from 'node:util'
import { ConfigError } from '../core/index.ts'
import type { Edit } from './edit-text.ts'
import type { ExchangeFile } from './exchange-file.ts'
import { isMap, valueAt } from './key-path.ts'
import type { TakenSecret } from './mask.ts'
import { nearest } from './nearest.ts'
import { listWords } from './show-value.ts'

/** What is to be imported, and how. */
export interface ImportWish {
  /** The tunnel; needed when the file has several. */
  readonly tunnel?: string
  /** Its new name. Default: the one that it has. */
  readonly as?: string
  /** Networks in place of its own. */
  readonly backends?: readonly string[]
  /** Replace a tunnel of this name. */
  readonly replace?: boolean
  /** Let the file name programs that are run as backends. */
  readonly allowCommands?: boolean
  /** The word that visitors must know, where the file lacks it. */
  readonly secret?: string
  /** Secret settings that came with the file. */
  readonly secrets?: readonly TakenSecret[]
}

/** What an import changes. */
export interface ImportPlan {
  readonly edits: readonly Edit[]
  /** The name that the tunnel had, and the one that it gets. */
  readonly from: string
  readonly name: string
  /** Its networks. */
  readonly networks: readonly string[]
  /** Networks that are declared anew. */
  readonly added: readonly string[]
  /** What the user should know. */
  readonly notes: readonly string[]
}

/** The tunnel of a file that is meant. @throws ConfigError (`BEAM_ERR_TUNNEL_UNKNOWN`, `BEAM_ERR_USAGE`) */
export function tunnelToImport({ tunnels }: ExchangeFile, wanted: string | undefined): ExchangeFile['tunnels'][number] {
  const names = tunnels.map(({ name }) => name)
  const [only, another] = tunnels
  if (wanted === undefined && only !== undefined && another === undefined) return only
  if (wanted === undefined) {
    throw new ConfigError(`The file has several tunnels: ${listWords(names)}.`, {
      code: 'BEAM_ERR_USAGE',
      hint: `Name the one that you want: --tunnel ${names[0] ?? 'NAME'}`,
    })
  }
  const found = tunnels.find(({ name }) => name === wanted)
  if (found !== undefined) return found
  const guess = nearest(wanted, names)
  throw new ConfigError(`The file has no tunnel ${JSON.stringify(wanted)}; it has: ${listWords(names)}.`, {
    code: 'BEAM_ERR_TUNNEL_UNKNOWN',
    ...(guess === undefined ? {} : { hint: `Did you mean ${guess}?` }),
  })
}

/**
 * How a configuration has to change to hold a tunnel of a file. Nothing that is there already changes without `replace`: settings of
 * networks stay this machine's own.
 * @throws ConfigError for what has to be decided by the user first
 */
export function planImport(before: unknown, file: ExchangeFile, wish: ImportWish): ImportPlan {
  const exported = tunnelToImport(file, wish.tunnel)
  const name = wish.as ?? exported.name
  const networks = wish.backends ?? own(exported)
  const secrets = [...(wish.secrets ?? []), ...givenWord(exported.name, wish)]
  const tunnel = { ...withSecrets(exported, ['tunnels', exported.name], secrets), ...(networks.length > 0 && { backends: [...networks] }) }
  refuseOpenTunnel(exported, file, tunnel)
  const entry = { ...tunnel, name }
  const present = valueAt(before, ['tunnels', name])
  const same = isDeepStrictEqual(present, entry)
  if (present !== undefined && !same && wish.replace !== true) {
    throw new ConfigError(`A tunnel ${JSON.stringify(name)} is declared already, with other settings.`, {
      hint: 'Import it under another name (--as NAME), or replace it (--replace).',
    })
  }
  const added = networks.filter((network) => valueAt(before, ['backends', network]) === undefined)
  const entries = added.map((network) => backendEntry(network, file, secrets, wish))
  // Without a list of backends the mesh is used; a list that begins to exist must not take it away.
  const implied =
    declaresBackends(before) || added.length === 0 || added.includes('mesh') ? [] : [{ name: 'mesh', enabled: true, priority: 1 }]
  const { name: _, ...settings } = entry
  return {
    edits: [
      ...[...implied, ...entries].map(({ name: network, ...rest }) => ({ set: ['backends', network], value: rest })),
      ...(same ? [] : [{ set: ['tunnels', name], value: settings }]),
    ],
    from: exported.name,
    name,
    networks,
    added,
    notes: notesOf(before, file, { networks, added }),
  }
}

function declaresBackends(config: unknown): boolean {
  return isMap(config) && Array.isArray(config['backends']) && config['backends'].length > 0
}

function own(tunnel: Readonly<Record<string, unknown>>): string[] {
  const { backends } = tunnel
  return Array.isArray(backends) ? backends.filter((name) => typeof name === 'string') : []
}

function givenWord(tunnel: string, { secret }: ImportWish): TakenSecret[] {
  return secret === undefined ? [] : [{ path: ['tunnels', tunnel, 'access', 'secret'], value: secret }]
}

/** An entry with the secrets that belong to it. */
function withSecrets(
  entry: Readonly<Record<string, unknown>>,
  at: readonly [string, string],
  secrets: readonly TakenSecret[],
): Record<string, unknown> {
  const copy = structuredClone(entry) as Record<string, unknown>
  for (const { path, value } of secrets) {
    if (path[0] !== at[0] || path[1] !== at[1]) continue
    const steps = path.slice(2)
    const last = steps.pop()
    if (last === undefined) continue
    let here = copy
    for (const step of steps) {
      if (!isMap(here[step])) here[step] = {}
      here = here[step] as Record<string, unknown>
    }
    here[last] = value
  }
  return copy
}

/** A tunnel whose word was left out would be open to everybody. */
function refuseOpenTunnel({ name }: { readonly name: string }, { omitted }: ExchangeFile, tunnel: Readonly<Record<string, unknown>>): void {
  const access = isMap(tunnel['access']) ? tunnel['access'] : {}
  if (!omitted.includes(`tunnels.${name}.access.secret`) || access['secret'] !== undefined) return
  throw new ConfigError('Visitors of this tunnel must know a word, which the file does not contain.', {
    code: 'BEAM_ERR_USAGE',
    hint: 'Give it with --secret - or --secret-file; or export again with --with-keys.',
  })
}

function backendEntry(
  name: string,
  file: ExchangeFile,
  secrets: readonly TakenSecret[],
  { allowCommands }: ImportWish,
): Record<string, unknown> & { readonly name: string } {
  const exported = file.backends.find((backend) => backend.name === name)
  if (exported === undefined) return { name, enabled: true }
  if (exported['command'] !== undefined && allowCommands !== true) {
    throw new ConfigError(`The backend ${name} of the file is a program, which Beam would run: ${JSON.stringify(exported['command'])}.`, {
      hint: 'If you trust the file, allow it: --allow-commands. Paths in it are those of the other machine.',
    })
  }
  // A tunnel passes over networks that are not enabled.
  return { ...withSecrets(exported, ['backends', name], secrets), name, enabled: true }
}

function notesOf(
  before: unknown,
  file: ExchangeFile,
  { networks, added }: { networks: readonly string[]; added: readonly string[] },
): string[] {
  const kept = networks.filter((name) => {
    const [here, there] = [valueAt(before, ['backends', name]), file.backends.find((backend) => backend.name === name)]
    return here !== undefined && there !== undefined && !isDeepStrictEqual(valueAt(here, ['config']), there['config'])
  })
  // Without any list the mesh was used, too.
  const more = added.filter((name) => name !== 'mesh' || declaresBackends(before))
  const tunnels = isMap(before) && Array.isArray(before['tunnels']) ? before['tunnels'].filter(isMap) : []
  const affected = tunnels.filter((tunnel) => tunnel['backends'] === undefined).map((tunnel) => String(tunnel['name']))
  const missing = file.omitted.filter((path) => networks.some((name) => path.startsWith(`backends.${name}.`) && added.includes(name)))
  return [
    ...kept.map((name) => `The settings of ${name} stay as they are on this machine; those of the file differ.`),
    ...(more.length > 0 && affected.length > 0
      ? [`${affected.join(', ')}: no list of networks of its own, so ${more.join(', ')} may now be used there too.`]
      : []),
    ...missing.map((path) => `${path} was left out of the file; set it with: beam config set ${path}`),
  ]
}
