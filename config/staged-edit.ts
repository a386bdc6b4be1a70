import { dirname, join } from 'node:path'
import type { BeamPaths } from '../core/index.ts'
import { openCatalogue, pluginsOf, type Catalogue } from './catalogue.ts'
import { checkConfig, type CheckOptions } from './check.ts'
import { editText, type Edit } from './edit-text.ts'
import { CONFIG_FILE_NAMES } from './find.ts'
import { schemaLine } from './init-config.ts'
import { displayName, locateConfig, readSource, type LoadOptions, type SourceFile } from './load-config.ts'
import { beamPaths } from './paths.ts'
import { InvalidConfigError, type Problem } from './problem.ts'
import { parseSource } from './source.ts'
import { writeConfigFile } from './write-file.ts'

/** A change of the file that counts: checked, and not written yet. */
export interface StagedEdit {
  readonly file: string
  /** What the file says and what it would say. */
  readonly before: unknown
  readonly after: unknown
  readonly changed: boolean
  /** Those that the change would bring. */
  readonly warnings: readonly Problem[]
  readonly catalogue: Catalogue
  /**
   * Writes it; does nothing where nothing changes.
   * @throws ConfigError when the file cannot be written, or is no longer what was read
   */
  write(): Promise<void>
}

/**
 * Prepares changes of the file that counts (the user's own when there is none), one after the other, keeping comments, order and quotes.
 * The environment plays no part.
 *
 * @param plan - says what is to be changed, given what the file says
 * @throws InvalidConfigError when the result would be wrong · ConfigError
 */
export async function stageEdits(
  plan: (before: unknown, catalogue: Catalogue) => readonly Edit[] | Promise<readonly Edit[]>,
  options: LoadOptions = {},
): Promise<StagedEdit> {
  const { cwd = process.cwd(), env = process.env, paths = beamPaths(env) } = options
  const file = (await locateConfig(options))?.file ?? userFile(paths)
  const folder = dirname(file)
  const shown = displayName(file, cwd)
  const source = await sourceIfThere(file, options)
  const before = source?.value
  const catalogue = await openCatalogue(options, { plugins: pluginsOf(before), folder })
  const text = source?.text ?? schemaLine(folder)
  const edited = (await plan(before, catalogue)).reduce((current, edit) => editText(current, shown, edit), text)
  const common = { file, before, catalogue }
  if (edited === text) return { ...common, after: before, changed: false, warnings: [], write: async () => {} }
  const result = parseSource(edited, shown)
  const checked = await checkConfig(result.value, { ...options, env: {}, source: result, folder })
  const known = source === undefined ? [] : await problemsOf(source, { ...options, env: {}, folder })
  if (checked.problems.length > 0) throw new InvalidConfigError(checked.problems.map((problem) => asBefore(problem, known)))
  const whole = source?.bom === true ? `\uFEFF${edited}` : edited
  return {
    ...common,
    after: result.value,
    changed: true,
    warnings: checked.warnings.filter((warning) => !known.some((old) => isSame(old, warning))),
    write: () => writeConfigFile(file, whole, source === undefined ? {} : { mode: source.mode, before: source.bytes }),
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
