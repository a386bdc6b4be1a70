import { dirname, relative, resolve } from 'node:path'
import { BackendUnavailableError, ConfigError, PluginError, type BeamPaths } from '../core/index.ts'
import { resolveBlock } from './backend-block.ts'
import type { BackendEntry, BeamConfig, BeamConfigInput } from './beam-config.generated.ts'
import type { Catalogue, CatalogueOptions } from './catalogue.ts'
import { checkConfig, type Checked } from './check.ts'
import { findConfigFile } from './find.ts'
import { formatKeyPath, nameKeyPath } from './key-path.ts'
import { beamPaths, type Environment } from './paths.ts'
import { inOrder, InvalidConfigError, type Problem } from './problem.ts'
import { readConfigFile, type FileText } from './read-file.ts'
import { parseSource, type ConfigSource } from './source.ts'

/** Where the configuration comes from and who knows the backends. */
export interface LoadOptions extends CatalogueOptions {
  /** Where the search for the file starts. Default: the working directory. */
  readonly cwd?: string
  /** The user's folders; the last place of the search. Default: those of {@link beamPaths}. */
  readonly paths?: Pick<BeamPaths, 'config'>
  /** Variables that override settings; `BEAM_CONFIG` names the file. Default: the variables of the process. */
  readonly env?: Environment
  /** The file, instead of a search. */
  readonly file?: string
  /** The last folder of the search upwards. Default: the home folder. */
  readonly stopDir?: string
  /** The user's id on systems that have them. A file that was found in a folder is read only when it is this user's or root's. */
  readonly userId?: number
}

/** A configuration that can be used. */
export interface LoadedConfig {
  /** Complete: with defaults and with what the environment overrides. */
  readonly config: BeamConfig
  /** The file; absent when there is none. */
  readonly file?: string
  /** What relative paths of the configuration refer to. */
  readonly folder: string
  readonly warnings: readonly Problem[]
  /** The settings that the environment gives. */
  readonly overrides: readonly { readonly variable: string; readonly path: string }[]
  /** Who knows the backends. */
  readonly catalogue: Catalogue
  /**
   * The entry of a backend that is about to be used, declared or not (then with defaults).
   * @throws ConfigError `BEAM_ERR_BACKEND_UNKNOWN` · BackendUnavailableError `BEAM_ERR_BACKEND_NOT_INSTALLED` · PluginError · InvalidConfigError
   */
  useBackend(name: string): Promise<BackendEntry>
}

/**
 * Finds, reads and checks beam.config.yaml: in `cwd` or a folder above it, else in the user's folder; without a file the defaults hold.
 * @throws InvalidConfigError with every problem and its place
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const located = await locateConfig(options)
  const { cwd = process.cwd(), env = process.env } = options
  if (located === undefined) return finish(await checkConfig(undefined, { ...options, env, folder: cwd }), { folder: cwd, env })
  const { file, warnings } = located
  const source = await readSource(file, options)
  const folder = dirname(file)
  const checked = await checkConfig(source.value, { ...options, env, source, folder })
  return finish(checked, { file, folder, env, warnings: [...warnings, ...source.warnings, ...emptiness(source)] })
}

/**
 * Checks a configuration that a program made. Variables override it only when they are given.
 * @throws InvalidConfigError
 */
export async function resolveConfig(
  input: BeamConfigInput,
  options: CatalogueOptions & { readonly env?: Environment; readonly folder?: string } = {},
): Promise<LoadedConfig> {
  const { env = {}, folder = process.cwd() } = options
  return finish(await checkConfig(plain(input), { ...options, env, folder }), { folder, env })
}

function plain(input: unknown): unknown {
  try {
    return structuredClone(input)
  } catch (cause) {
    throw new ConfigError('The configuration holds something that is not data, such as a function.', { cause })
  }
}

/** The file that counts: named by the caller, by `BEAM_CONFIG`, or found. */
export async function locateConfig(
  options: LoadOptions,
): Promise<{ readonly file: string; readonly searched: boolean; readonly warnings: readonly Problem[] } | undefined> {
  const { cwd = process.cwd(), env = process.env, paths = beamPaths(env), stopDir } = options
  const named = options.file ?? (env['BEAM_CONFIG'] === '' ? undefined : env['BEAM_CONFIG'])
  if (named !== undefined) return { file: resolve(cwd, named), searched: false, warnings: [] }
  const found = await findConfigFile({ cwd, userFolder: paths.config, ...(stopDir === undefined ? {} : { stopDir }) })
  if (found === undefined) return undefined
  const file = displayName(found.file, cwd)
  const warnings = found.ignored.map((other): Problem => ({
    file: displayName(other, cwd),
    path: '',
    message: `this file is not read, because ${file} is beside it`,
  }))
  return { file: found.file, searched: true, warnings }
}

/** How messages name a file: relative when it is in or below the working directory. */
export function displayName(file: string, cwd: string = process.cwd()): string {
  const short = relative(cwd, file)
  return short === '' || short.startsWith('..') ? file : short
}

/** A file's text with what is needed to write it again. */
export type SourceFile = ConfigSource & Omit<FileText, 'text' | 'uid'>

/**
 * Reads a file's text and syntax.
 * @throws InvalidConfigError
 */
export async function readSource(file: string, options: LoadOptions): Promise<SourceFile> {
  const { cwd = process.cwd(), env = process.env, userId = process.getuid?.() } = options
  const shown = displayName(file, cwd)
  const { text, uid, ...rest } = await readConfigFile(file, shown)
  const searched = options.file === undefined && (env['BEAM_CONFIG'] ?? '') === ''
  // Whoever can put a file above the working directory (in a shared folder) could name plugins in it, and so run code as this user.
  if (searched && userId !== undefined && uid !== userId && uid !== 0) {
    throw new InvalidConfigError([{ file: shown, path: '', message: 'this file belongs to another user and so is not read' }], {
      hint: `If you trust it, name it: BEAM_CONFIG=${shown}`,
    })
  }
  const source = parseSource(text, shown)
  if (source.problems.length > 0) throw new InvalidConfigError(inOrder(source.problems))
  return { ...source, ...rest }
}

function emptiness(source: ConfigSource): Problem[] {
  const empty = source.value === null || source.value === undefined
  return empty ? [{ file: source.file, path: '', message: 'the file has no settings; the defaults hold' }] : []
}

interface Surroundings {
  readonly file?: string
  readonly folder: string
  readonly env: Environment
  readonly warnings?: readonly Problem[]
}

function finish(checked: Checked, { file, folder, env, warnings = [] }: Surroundings): LoadedConfig {
  if (checked.problems.length > 0) throw new InvalidConfigError(checked.problems)
  const { config } = checked
  return {
    config,
    ...(file === undefined ? {} : { file }),
    folder,
    warnings: [...warnings, ...checked.warnings],
    overrides: checked.overrides.map(({ variable, path }) => ({ variable, path: formatKeyPath(nameKeyPath(config, path)) })),
    catalogue: checked.catalogue,
    useBackend: (name) => useBackend(name, checked, env),
  }
}

async function useBackend(name: string, { config, catalogue }: Checked, env: Environment): Promise<BackendEntry> {
  const declared = config.backends.find((entry) => entry.name === name)
  if (declared?.command !== undefined) return declared
  const standing = await catalogue.standing(name)
  if (standing.state === 'unknown') throw new ConfigError(capital(standing.message), { code: 'BEAM_ERR_BACKEND_UNKNOWN' })
  if (standing.state === 'missing') {
    throw new BackendUnavailableError(capital(standing.message), {
      code: 'BEAM_ERR_BACKEND_NOT_INSTALLED',
      retry: 'never',
      hint: standing.hint,
    })
  }
  if (standing.state === 'broken') throw new PluginError(capital(standing.message), { cause: standing.cause })
  if (declared !== undefined) return declared
  const { block, findings, overrides } = resolveBlock(standing.schema, {}, config, env)
  const problems = findings.map(({ path, message }): Problem => {
    const override = overrides.find((one) => one.path.every((step, index) => path[index] === step))
    const at = formatKeyPath(['backends', name, 'config', ...path])
    return override === undefined ? { path: at, message } : { variable: override.variable, path: at, message }
  })
  if (problems.length > 0) throw new InvalidConfigError(inOrder(problems))
  return { name, enabled: true, priority: 100, config: block }
}

function capital(sentence: string): string {
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}.`
}
