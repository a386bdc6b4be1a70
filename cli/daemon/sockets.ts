import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import type { Server } from 'node:net'
import { join } from 'node:path'
import type { BeamPaths } from '../../core/paths.ts'

type Runtime = Pick<BeamPaths, 'runtime'>

/** The daemon's socket; there is one daemon for each runtime folder. */
export const DAEMON_SOCKET = 'daemon.sock'

/** Sockets that are asked at most: one for each `beam 3000` that runs. More than anybody has, and a full folder costs no more. */
const MAX_SOCKETS = 256

const isWindows = process.platform === 'win32'

/** The folder of control sockets. Mode 0700, and so is the runtime folder itself. */
function folderOf({ runtime }: Runtime): string {
  return join(runtime, 'control')
}

/** A name for the socket of a command in the foreground; never used twice. */
export function commandSocket(): string {
  return `command-${process.pid}-${randomBytes(3).toString('hex')}.sock`
}

/** What to connect to for a socket's name. Windows has named pipes instead; the file of the name only says that there is one. */
export function socketPath(paths: Runtime, name: string): string {
  if (!isWindows) return join(folderOf(paths), name)
  const place = createHash('sha256').update(paths.runtime.toLowerCase()).digest('hex').slice(0, 12)
  return `\\\\.\\pipe\\beam-${place}-${name}`
}

/**
 * Whether the runtime folder is this user's alone. Where it stands in a folder that all share (a short path in place of one too long for
 * sockets), another user could have made it first, and would be told secret words.
 */
export function isPrivate({ runtime }: Runtime): boolean {
  if (isWindows) return true
  const link = lstatSync(runtime, { throwIfNoEntry: false })
  const own = process.getuid?.()
  const folder = link?.isSymbolicLink() === true && link.uid === own ? statSync(runtime, { throwIfNoEntry: false }) : link
  return folder?.isDirectory() === true && folder.uid === own && (folder.mode & 0o022) === 0
}

/** The names of all control sockets, the daemon's first. */
export async function socketNames(paths: Runtime): Promise<readonly string[]> {
  const names = await readdir(folderOf(paths)).catch(() => [])
  const known = names.filter((name) => name === DAEMON_SOCKET || /^command-\d+-[0-9a-f]{6}\.sock$/.test(name))
  return known.toSorted((a, b) => Number(b === DAEMON_SOCKET) - Number(a === DAEMON_SOCKET)).slice(0, MAX_SOCKETS)
}

/** Removes the socket of a process that is gone. Names of commands are never used again, so nobody else's can be hit. */
export function removeDead(paths: Runtime, name: string): void {
  if (name !== DAEMON_SOCKET) unlinkQuietly(join(folderOf(paths), name))
}

/**
 * Makes a server listen under a name, for this user only. The socket gets its name when it listens and is private already, so that nobody
 * finds one that refuses connections, and a dead one of that name is replaced in the same step. Who uses a fixed name holds a lock.
 * Returns what takes the name away again.
 */
export async function listenPrivately(server: Server, paths: Runtime, name: string): Promise<() => void> {
  const folder = folderOf(paths)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  removeOfTheDead(folder)
  const path = join(folder, name)
  const draft = isWindows ? socketPath(paths, name) : join(folder, `.${randomBytes(6).toString('hex')}`)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(draft, () => {
      server.off('error', reject)
      resolve()
    })
  })
  if (isWindows) {
    writeFileSync(path, '')
  } else {
    chmodSync(draft, 0o600)
    renameSync(draft, path)
  }
  return () => unlinkQuietly(path)
}

/** Who starts tidies up after those that were killed: nobody may ever ask for the list. */
function removeOfTheDead(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^command-(\d+)-[0-9a-f]{6}\.sock$/.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) unlinkQuietly(join(folder, name))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone already: what was wanted.
  }
}
