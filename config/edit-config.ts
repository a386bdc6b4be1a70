import { dirname, join } from 'node:path'
import type { BeamPaths } from '../core/index.ts'
import { openCatalogue, pluginsOf, type SchemaOf } from './catalogue.ts'
import { checkConfig, type CheckOptions } from './check.ts'
import { editText, type Edit } from './edit-text.ts'
import { readText } from './environment.ts'
import { CONFIG_FILE_NAMES } from './find.ts'
import { formatKeyPath, parseKeyPath, valueAt, type KeyPath } from './key-path.ts'
import { schemaLine } from './init-config.ts'
import { displayName, locateConfig, readSource, type LoadOptions, type SourceFile } from './load-config.ts'
import { maskSecrets } from './mask.ts'
import { beamPaths } from './paths.ts'
import { InvalidConfigError, type Problem } from './problem.ts'
import { requireSetting } from './setting.ts'
import { parseSource } from './source.ts'
import { writeConfigFile } from './write-file.ts'

/** A change of the file, with the path as it is typed: `p2p.maxPeers`, `tunnels.api-server.port`, `tunnels[0].port`. */
export type Change =
  /** `text` is read in the type of the setting: `50`, `true`, `tor,nym`, `[tor, nym]`, `{ name: tor }`. */
  { readonly set: string; readonly text: string } | { readonly set: string; readonly value: unknown } | { readonly unset: string }

/** What became of a change. */
export interface EditResult {
  readonly file: string
  readonly path: string
  /** What the file said before and says now, with secrets masked; absent = nothing. */
  readonly before?: unknown
  readonly after?: unknown
  /** Whether the file was written. */
  readonly changed: boolean
  /** Those that the change brought. */
  readonly warnings: readonly Problem[]
}

/**
 * Changes one setting in the file that counts (made in the user's folder when there is none), keeping comments, order and quotes. The
 * result is checked first; a wrong one is not written. The environment plays no part.
 * @throws ConfigError · InvalidConfigError
 */
export async function editConfig(change: Change, options: LoadOptions = {}): Promise<EditResult> {
  const { cwd = process.cwd(), env = process.env, paths = beamPaths(env) } = options
  const path = parseKeyPath('set' in change ? change.set : change.unset)
  const file = (await locateConfig(options))?.file ?? userFile(paths)
  const shown = displayName(file, cwd)
  const source = await sourceIfThere(file, options)
  const old = source?.value
  const catalogue = await openCatalogue(options, { plugins: pluginsOf(old), folder: dirname(file) })
  const edit = await toEdit(change, path, old, catalogue.schemaOf)
  const text = source?.text ?? schemaLine(dirname(file))
  const edited = editText(text, shown, edit)
  const before = await maskSecrets(valueAt(old, path), catalogue.schemaOf, old, path)
  const same = { file, path: formatKeyPath(path), ...(before === undefined ? {} : { before }) }
  if (edited === text) return { ...same, ...(before === undefined ? {} : { after: before }), changed: false, warnings: [] }
  const result = parseSource(edited, shown)
  const checked = await checkConfig(result.value, { ...options, env: {}, source: result, folder: dirname(file) })
  const known = source === undefined ? [] : await problemsOf(source, { ...options, env: {}, folder: dirname(file) })
  if (checked.problems.length > 0) throw new InvalidConfigError(checked.problems.map((problem) => asBefore(problem, known)))
  const whole = source?.bom === true ? `\uFEFF${edited}` : edited
  await writeConfigFile(file, whole, source === undefined ? {} : { mode: source.mode, before: source.bytes })
  const after = await maskSecrets(valueAt(result.value, path), catalogue.schemaOf, result.value, path)
  return {
    ...same,
    ...(after === undefined ? {} : { after }),
    changed: true,
    warnings: checked.warnings.filter((warning) => !known.some((old) => isSame(old, warning))),
  }
}

/** The user's own file. */
export function userFile(paths: Pick<BeamPaths, 'config'>): string {
  return join(paths.config, CONFIG_FILE_NAMES[0])
}

async function sourceIfThere(file: string, options: LoadOptions): Promise<SourceFile | undefined> {
  try {
    return await readSource(file, options)
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined
    throw error
  }
}

async function toEdit(change: Change, path: KeyPath, config: unknown, schemaOf: SchemaOf): Promise<Edit> {
  if ('unset' in change) {
    // What the file has may go, known or not: that is how a slip of the pen is mended.
    if (valueAt(config, path) === undefined) await requireSetting(path, config, schemaOf)
    return { unset: path }
  }
  const { schemas } = await requireSetting(path, config, schemaOf)
  return { set: path, value: 'text' in change ? readText(change.text, schemas) : change.value }
}

async function problemsOf(source: SourceFile, options: CheckOptions): Promise<Problem[]> {
  const { problems, warnings } = await checkConfig(source.value, { ...options, source })
  return [...problems, ...warnings]
}

function isSame(a: Problem, b: Problem): boolean {
  return a.path === b.path && a.message === b.message
}

/** A problem that was there before, with its place then; what a change would bring has no place yet. */
function asBefore(problem: Problem, known: readonly Problem[]): Problem {
  return known.find((old) => isSame(old, problem)) ?? { path: problem.path, message: problem.message }
}
