import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** Names of the configuration file, the preferred one first. JSON is YAML too. */
export const CONFIG_FILE_NAMES = ['beam.config.yaml', 'beam.config.yml', 'beam.config.json'] as const

/** Most folders that are looked into on the way up: no real path is deeper. */
const MAX_DEPTH = 100

/** Where a configuration file is looked for. */
export interface FindOptions {
  /** Where the search starts. */
  readonly cwd: string
  /** The user's folder, looked into last. */
  readonly userFolder?: string
  /** The last folder on the way up. Default: the home folder, else the root. */
  readonly stopDir?: string
}

/** A file that was found. */
export interface FoundFile {
  readonly file: string
  /** Files of the other names beside it, which are not read. */
  readonly ignored: readonly string[]
}

/** The nearest configuration file: in `cwd` or a folder above it, else in the user's folder. Folders that cannot be read are passed over. */
export async function findConfigFile(options: FindOptions): Promise<FoundFile | undefined> {
  const stop = resolve(options.stopDir ?? homedir())
  let folder = resolve(options.cwd)
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const found = await lookInto(folder)
    if (found !== undefined) return found
    const parent = dirname(folder)
    if (folder === stop || parent === folder) break
    folder = parent
  }
  return options.userFolder === undefined ? undefined : lookInto(options.userFolder)
}

async function lookInto(folder: string): Promise<FoundFile | undefined> {
  let entries: string[]
  try {
    entries = await readdir(folder)
  } catch {
    return undefined
  }
  const present = CONFIG_FILE_NAMES.filter((name) => entries.includes(name))
  const [first, ...rest] = present
  return first === undefined ? undefined : { file: join(folder, first), ignored: rest.map((name) => join(folder, name)) }
}
