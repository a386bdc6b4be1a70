import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '../core/index.ts'

/** For the owner only: a configuration may hold secrets. */
const NEW_FILE_MODE = 0o600

/** How a file is written. */
export interface WriteOptions {
  /** Permission bits. Default: for the owner only. */
  readonly mode?: number
  /** What the file held when it was read; absent = it must not be there. */
  readonly before?: Uint8Array
}

/**
 * Replaces a file in one step: whoever reads it sees the old or the new text, also after a crash. A symbolic link stays, its target is
 * replaced.
 * @throws ConfigError when the file cannot be written, or is no longer what was read
 */
export async function writeConfigFile(file: string, text: string, options: WriteOptions = {}): Promise<void> {
  const { mode = NEW_FILE_MODE, before } = options
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const target = await targetOf(file)
    const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
    try {
      const handle = await open(temporary, 'wx', NEW_FILE_MODE)
      try {
        await handle.writeFile(text)
        await handle.sync()
      } finally {
        await handle.close()
      }
      // Not by `open`: the process's umask would take bits away.
      await chmod(temporary, mode)
      await keepOwner(target, temporary)
      const now = await readFile(target).catch((error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' ? undefined : Promise.reject(error),
      )
      if (before === undefined ? now !== undefined : now === undefined || !now.equals(before)) throw changedMeanwhile(file)
      await rename(temporary, target)
    } finally {
      await rm(temporary, { force: true })
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`${file} cannot be written: ${reason(error as NodeJS.ErrnoException)}`, { cause: error })
  }
}

async function targetOf(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return file
    throw error
  }
}

/** With sudo, the file stays its owner's. Others may not give files away, and theirs are their own already. */
async function keepOwner(target: string, temporary: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const owner = await stat(target).catch(() => undefined)
  if (owner !== undefined) await chown(temporary, owner.uid, owner.gid)
}

function changedMeanwhile(file: string): ConfigError {
  return new ConfigError(`${file} was changed by another program at the same time, so nothing was written.`, { hint: 'Do it again.' })
}

function reason(error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES' || error.code === 'EPERM') return 'permission denied.'
  if (error.code === 'EROFS') return 'the file system is read-only.'
  if (error.code === 'ENOSPC') return 'the disk is full.'
  return error.message
}
