import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tryProcessLock, type BeamPaths } from '../../core/index.ts'
import { installError } from './install-error.ts'

/** What is left of a change that did not come to its end: the folder as it was to be, or as it had been. */
const LEFT_OVER = /^plugins\.(new|old)-[0-9a-f]{12}$/

/** The folder of installed plugins. */
export function pluginsFolder({ data }: Pick<BeamPaths, 'data'>): string {
  return join(data, 'plugins')
}

/**
 * Changes the folder of installed plugins as a whole: `work` gets a copy, which takes the folder's place when it has succeeded and is
 * thrown away when it has not. One process at a time.
 * @throws BeamError `BEAM_ERR_PLUGIN_INSTALL` when another process is at it or the folder cannot be written; what `work` throws
 */
export async function stagedChange<T>(paths: Pick<BeamPaths, 'data' | 'runtime'>, work: (copy: string) => Promise<T>): Promise<T> {
  const folder = pluginsFolder(paths)
  const result = await tryProcessLock(paths, `plugins ${folder}`)
  if (!('lock' in result)) {
    throw installError(`Another Beam process${result.heldBy > 0 ? ` (${result.heldBy})` : ''} is changing the installed plugins.`)
  }
  await using _lock = result.lock
  const id = randomBytes(6).toString('hex')
  const [copy, old] = [`${folder}.new-${id}`, `${folder}.old-${id}`]
  try {
    await mkdir(paths.data, { recursive: true, mode: 0o700 })
    await recover(paths.data, folder)
    if (await exists(folder)) await cp(folder, copy, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE })
    else await begin(copy)
    const value = await work(copy)
    await swap(folder, copy, old)
    return value
  } catch (cause) {
    if (typeof (cause as NodeJS.ErrnoException).syscall !== 'string') throw cause
    throw installError(`The folder of installed plugins cannot be changed: ${(cause as Error).message}`, { cause })
  } finally {
    await Promise.all([copy, old].map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})))
  }
}

async function begin(copy: string): Promise<void> {
  await mkdir(copy, { mode: 0o700 })
  await writeFile(
    join(copy, 'package.json'),
    `${JSON.stringify({ private: true, description: 'Plugins of Beam', dependencies: {} }, null, 2)}\n`,
  )
}

/** Between the two renames a crash would leave no folder; {@link recover} puts the old one back. */
async function swap(folder: string, copy: string, old: string): Promise<void> {
  const hadOne = await exists(folder)
  if (hadOne) await rename(folder, old)
  try {
    await rename(copy, folder)
  } catch (error) {
    if (hadOne) await rename(old, folder)
    throw error
  }
}

/** Clears away what a process left that was killed; nobody else is at it, since the lock is held. */
async function recover(data: string, folder: string): Promise<void> {
  const left = (await readdir(data)).filter((name) => LEFT_OVER.test(name))
  const old = left.find((name) => name.startsWith('plugins.old-'))
  if (old !== undefined && !(await exists(folder))) await rename(join(data, old), folder)
  await Promise.all(left.map((name) => rm(join(data, name), { recursive: true, force: true })))
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
