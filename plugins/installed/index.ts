/**
 * Plugins in Beam's own data folder: installed with the user's npm, for nobody else, and checked before they are taken.
 * @packageDocumentation
 */
import { lstat, mkdir, readFile, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PluginError, type BeamPaths } from '../../core/index.ts'
import { findPlugin } from '../plugin-source.ts'
import { npm, type NpmOptions } from './npm.ts'
import { dropUnused, packLocal } from './pack.ts'
import { parsePackageSpec } from './package-spec.ts'
import { pluginsFolder, stagedChange } from './staged-change.ts'

export { pluginsFolder } from './staged-change.ts'

/** Plugins import `beam-tunnel/core`; it has to be the Beam that runs them. */
const BEAM = 'beam-tunnel'

/** A package in the folder of installed plugins. */
export interface InstalledPlugin {
  readonly package: string
  readonly version?: string
  /** The backend that it brings, as far as its manifest tells. */
  readonly backend?: string
  /** Why it cannot be used. */
  readonly problem?: string
}

/** How plugins are installed. */
export interface InstallOptions {
  readonly paths: Pick<BeamPaths, 'data' | 'runtime'>
  /** What relative paths refer to. */
  readonly cwd: string
  /** Run the install scripts of the packages: code of theirs, with all rights of the user. Default: no. */
  readonly scripts?: boolean
  readonly signal?: AbortSignal
}

/** The installed plugins, by name. */
export async function installedPlugins(paths: Pick<BeamPaths, 'data'>): Promise<readonly InstalledPlugin[]> {
  const folder = pluginsFolder(paths)
  const names = Object.keys(await dependenciesOf(folder)).toSorted()
  return Promise.all(
    names.map((name) => describe(name, folder).catch((error: unknown) => ({ package: name, problem: (error as Error).message }))),
  )
}

/**
 * Installs packages of the registry, folders (copied) and tarballs. Either all of them are installed and have a valid manifest, or
 * nothing has changed. None of their code is run, unless `scripts` says so.
 * @throws ConfigError (`BEAM_ERR_USAGE`), PluginError, BeamError (`BEAM_ERR_PLUGIN_INSTALL`)
 */
export async function addPlugins(given: readonly string[], options: InstallOptions): Promise<readonly InstalledPlugin[]> {
  const specs = given.map((text) => parsePackageSpec(text, options.cwd))
  return stagedChange(options.paths, async (folder) => {
    const run: NpmOptions = { folder, signal: options.signal }
    const wanted: { name: string; spec: string }[] = []
    for (const spec of specs) {
      wanted.push(spec.kind === 'local' ? await packLocal(spec.path, run) : { name: spec.name, spec: spec.text })
    }
    if (wanted.some(({ name }) => name === BEAM)) throw new PluginError('That is Beam itself, no plugin.')
    // What was there without its scripts has run none: npm runs them when it installs something, and only then.
    if (options.scripts === true) await change(['uninstall', ...wanted.map(({ name }) => name)], run, false)
    await change(['install', ...wanted.map(({ spec }) => spec)], run, options.scripts === true)
    await dropUnused(folder, await dependenciesOf(folder))
    return Promise.all(wanted.map(({ name }) => describe(name, folder)))
  })
}

/**
 * Removes an installed plugin, named by its package or its backend. Returns what it was.
 * @throws PluginError when it is not installed
 */
export async function removePlugin(name: string, options: Omit<InstallOptions, 'cwd' | 'scripts'>): Promise<InstalledPlugin> {
  const installed = await installedPlugins(options.paths)
  const plugin = installed.find((one) => one.package === name) ?? installed.find(({ backend }) => backend === name)
  if (plugin === undefined) {
    const names = installed.map((one) => one.package).join(', ')
    throw new PluginError(`The plugin ${name} is not installed.`, { hint: names === '' ? 'None is.' : `Installed are: ${names}` })
  }
  return stagedChange(options.paths, async (folder) => {
    await change(['uninstall', plugin.package], { folder, signal: options.signal }, false)
    await dropUnused(folder, await dependenciesOf(folder))
    return plugin
  })
}

/** Lets npm change the tree. Beam is no part of it: it may be nowhere where npm could get it, and must be this one. */
async function change([command = '', ...names]: readonly string[], run: NpmOptions, scripts: boolean): Promise<void> {
  const link = join(run.folder, 'node_modules', BEAM)
  if ((await lstat(link).catch(() => undefined))?.isSymbolicLink() === true) await rm(link)
  const how = ['--save', '--package-lock', '--omit=dev', '--legacy-peer-deps', '--install-strategy=hoisted', `--ignore-scripts=${!scripts}`]
  await npm([command, ...how, '--', ...names], run)
  if ((await lstat(link).catch(() => undefined)) !== undefined) return
  await mkdir(dirname(link), { recursive: true })
  await symlink(dirname(createRequire(import.meta.url).resolve(`${BEAM}/package.json`)), link, 'junction')
}

async function describe(name: string, folder: string): Promise<InstalledPlugin> {
  const { manifest } = await findPlugin(name, { folder, installed: folder })
  return { package: name, ...(manifest.version === undefined ? {} : { version: manifest.version }), backend: manifest.backend }
}

async function dependenciesOf(folder: string): Promise<Readonly<Record<string, string>>> {
  try {
    const { dependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> }
    return dependencies ?? {}
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new PluginError(`The list of installed plugins cannot be read: ${(cause as Error).message}`, {
      hint: `It is ${join(folder, 'package.json')}; move the folder away to begin anew.`,
      cause,
    })
  }
}
