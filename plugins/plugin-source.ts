import { readFile, realpath, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { PluginError } from '../core/index.ts'
import { parseManifest, type Manifest } from './manifest.ts'

/** A package.json is a few kilobytes; more is none. */
const MAX_MANIFEST_BYTES = 1_048_576
/** Names of npm packages (scope and name, https://docs.npmjs.com/cli/configuring-npm/package-json#name). */
const PACKAGE_NAME = /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/

/** A plugin that was found, with none of its code run yet. */
export interface FoundPlugin {
  /** What the configuration calls it. */
  readonly source: string
  readonly folder: string
  readonly manifest: Manifest
  /** The module to load. */
  readonly entry: string
}

/** Where Beam looks for packages. */
export interface SourceFolders {
  /** The folder of the configuration file: paths are relative to it, packages are looked for from it upwards. */
  readonly folder: string
  /** Beam's own folder of installed plugins (`<data>/plugins`). */
  readonly installed: string
}

/**
 * Finds what an entry of `plugins` in the configuration names: a folder (`./my-backend`) or an npm package.
 * @throws PluginError when it is not there or its manifest is wrong.
 */
export async function findPlugin(source: string, folders: SourceFolders): Promise<FoundPlugin> {
  const folder = await locate(source, folders)
  const manifest = parseManifest(await readManifest(folder, source), source)
  // Real paths: Node's own, which stand in stack traces; and a link that leads out of the package is refused like `..` in the manifest.
  const [root, entry] = await Promise.all([realpath(folder), realpath(resolve(folder, manifest.plugin)).catch(() => undefined)])
  if (entry === undefined)
    throw new PluginError(`The plugin ${source} has no ${manifest.plugin}.`, { hint: 'Was it built? Its package.json names that file.' })
  if (!entry.startsWith(root + sep)) throw new PluginError(`The plugin ${source} names a module outside its folder: ${manifest.plugin}.`)
  return { source, folder: root, manifest, entry }
}

async function locate(source: string, { folder, installed }: SourceFolders): Promise<string> {
  if (/^\.{1,2}(?:[/\\]|$)/.test(source) || isAbsolute(source)) {
    const path = resolve(folder, source)
    if (await isFolder(path)) return path
    throw new PluginError(`The plugin folder ${source} does not exist.`, { hint: `It is looked for at ${path}.` })
  }
  if (!PACKAGE_NAME.test(source)) {
    throw new PluginError(`${JSON.stringify(source)} is neither a package nor a folder.`, { hint: 'A folder starts with ./' })
  }
  for (const start of [folder, installed]) {
    for (const modules of createRequire(join(start, 'package.json')).resolve.paths(source) ?? []) {
      const path = join(modules, source)
      if (await isFolder(path)) return path
    }
  }
  throw new PluginError(`The plugin package ${source} is not installed.`, { hint: `Install it with: beam plugins add ${source}` })
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

async function readManifest(folder: string, source: string): Promise<string> {
  const path = join(folder, 'package.json')
  try {
    if ((await stat(path)).size > MAX_MANIFEST_BYTES) throw new Error('it is too large')
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new PluginError(`The package.json of the plugin ${source} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
