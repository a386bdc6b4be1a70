import { chmod, copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BackendUnavailableError, ConfigError, tryProcessLock, type BeamPaths } from '../../../../core/index.ts'

/** Processes with a daemon of their own on one data directory: each keeps some ten megabytes on the disk. */
const MAX_FOLDERS = 32
/** What a daemon would otherwise fetch anew, and the relays by which it enters: a second set of those would make being watched likelier. */
const CARRIED_OVER = ['cached-certs', 'cached-microdesc-consensus', 'cached-microdescs', 'cached-microdescs.new', 'state'] as const

/** A data directory that no other process uses. */
export interface DataFolder extends AsyncDisposable {
  readonly path: string
}

/**
 * Takes a data directory for this process. The first process has the folder itself and so starts warm; others, at the same time, have
 * folders beside it, which begin with what the first one fetched. All are kept for the next time.
 * @throws BackendUnavailableError, ConfigError
 */
export async function takeDataFolder(base: string, paths: Pick<BeamPaths, 'runtime'>): Promise<DataFolder> {
  const first = resolve(base)
  for (let index = 1; index <= MAX_FOLDERS; index++) {
    const path = index === 1 ? first : `${first}-${index}`
    const result = await tryProcessLock(paths, `daemon data ${path}`)
    if (!('lock' in result)) continue
    try {
      await makePrivate(path)
      if (index > 1) await carryOver(first, path)
    } catch (error) {
      await result.lock[Symbol.asyncDispose]()
      throw error
    }
    return { path, [Symbol.asyncDispose]: () => result.lock[Symbol.asyncDispose]() }
  }
  throw new BackendUnavailableError(`${MAX_FOLDERS} processes use data directories beside ${first} already.`, {
    hint: 'End some of them, or give this one a data_dir of its own.',
  })
}

async function makePrivate(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    // The daemon refuses a folder that others can read.
    if (process.platform !== 'win32') await chmod(path, 0o700)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new ConfigError(`The data directory ${path} cannot be used: ${code ?? (cause as Error).message}.`, {
      hint: 'Set data_dir to a folder that this user can write to.',
      cause,
    })
  }
}

/** Copies what is newer over there; a daemon replaces these files whole, so a copy is one state or the next. */
async function carryOver(from: string, to: string): Promise<void> {
  for (const name of CARRIED_OVER) {
    const [theirs, ours] = await Promise.all([modified(join(from, name)), modified(join(to, name))])
    if (theirs === undefined || (ours !== undefined && ours >= theirs)) continue
    const temporary = join(to, `.${name}.new`)
    try {
      await copyFile(join(from, name), temporary)
      await rename(temporary, join(to, name))
    } catch {
      // It starts colder then.
      await rm(temporary, { force: true }).catch(() => {})
    }
  }
}

async function modified(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() === true ? stats.mtimeMs : undefined
}
