import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '../errors.ts'

/** Ending of files that are being written. */
const TEMPORARY = '.tmp'
/** Temporary files of writers that were killed are swept after a minute: writing takes milliseconds. */
const ABANDONED_MS = 60_000
const isWindows = process.platform === 'win32'

/**
 * What a file holds that only its owner may read; undefined when there is none.
 * @throws ConfigError (`BEAM_ERR_KEY_STORAGE`) when it is readable by others, not a file of ours, too large, or cannot be read.
 */
export async function readPrivateFile(path: string, options: { readonly maxBytes: number }): Promise<Buffer | undefined> {
  let file: FileHandle
  try {
    // O_NONBLOCK: opening a named pipe would otherwise wait for its writer.
    file = await open(path, constants.O_RDONLY | (isWindows ? 0 : constants.O_NONBLOCK))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw storageError(`${path} cannot be read`, error)
  }
  try {
    const stats = await file.stat()
    checkOwnership(path, stats)
    if (stats.size > options.maxBytes) {
      throw storageError(
        `${path} is larger than ${options.maxBytes} bytes`,
        undefined,
        'Beam has not written it. Restore it from a backup, or move it away.',
      )
    }
    return await file.readFile()
  } catch (error) {
    throw storageError(`${path} cannot be read`, error)
  } finally {
    await file.close()
  }
}

/**
 * Writes a file that only its owner may read, so that after a crash at any moment it holds the old or the new content, whole.
 * With `replace: false` a file that is there already is left alone; the answer tells whether it was written.
 * @throws ConfigError (`BEAM_ERR_KEY_STORAGE`) when that does not work (disk full, read-only, no hard links, …); nothing is left behind then.
 */
export async function writePrivateFile(path: string, content: string, options: { readonly replace: boolean }): Promise<boolean> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}-${randomBytes(6).toString('hex')}${TEMPORARY}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await refuseForeignFolder(folder)
    await sweep(folder)
    await writeSynced(temporary, content)
    try {
      if (options.replace) await rename(temporary, path)
      else await link(temporary, path)
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw error
    } finally {
      await unlink(temporary).catch(() => {})
    }
    await syncFolder(folder)
    return true
  } catch (error) {
    throw storageError(`${path} cannot be written`, error)
  }
}

/** The names of the files in a folder; none when there is no folder. */
export async function listPrivateFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw storageError(`${folder} cannot be read`, error)
  }
}

/** An error about key storage. One that is already such is passed on; of others, the system's reason goes into the message. */
export function storageError(what: string, cause?: unknown, hint?: string): ConfigError {
  if (cause instanceof ConfigError) return cause
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
  const why = cause === undefined ? '' : `: ${REASONS[code ?? ''] ?? code ?? 'unknown reason'}`
  const remedy = hint ?? (code === undefined ? undefined : 'Mend that, or set BEAM_HOME to a folder where Beam can keep its keys.')
  return new ConfigError(`${what}${why}.`, { code: 'BEAM_ERR_KEY_STORAGE', hint: remedy, cause })
}

/** What the system's codes mean, for people. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted (perhaps the file system has no hard links)',
  ENOTSUP: 'the file system has no hard links',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than this process may write',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'something else is in its place',
  EIO: 'the disk reports a fault',
}

function checkOwnership(path: string, stats: Stats): void {
  if (!stats.isFile()) throw storageError(`${path} is not a file`, undefined, 'Move away the folder or device of this name.')
  if (isWindows) return
  const user = process.getuid?.()
  if (stats.uid !== user && user !== 0) {
    throw storageError(`${path} belongs to another user`, undefined, 'Run Beam as that user, or set BEAM_HOME to a folder of your own.')
  }
  if ((stats.mode & 0o077) === 0) return
  throw storageError(`${path} can be read or changed by other users of this machine`, undefined, `Run: chmod 600 ${quote(path)}`)
}

/** Who can write to the folder can put another key in the place of ours. */
async function refuseForeignFolder(folder: string): Promise<void> {
  if (isWindows || ((await stat(folder)).mode & 0o022) === 0) return
  throw storageError(`${folder} can be changed by other users of this machine`, undefined, `Run: chmod 700 ${quote(folder)}`)
}

async function writeSynced(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    await unlink(path).catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}

/** Makes the new name itself survive a power cut. Windows cannot open folders; its file systems journal names. */
async function syncFolder(folder: string): Promise<void> {
  if (isWindows) return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes what killed writers left: such a file may hold a key. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.') || !name.endsWith(TEMPORARY)) continue
    const path = join(folder, name)
    const stats = await stat(path).catch(() => undefined)
    if (stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_MS) await unlink(path).catch(() => {})
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}

function quote(path: string): string {
  return /^[\w./+:@-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
