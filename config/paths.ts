import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { ConfigError, type BeamPaths } from '../core/index.ts'

/**
 * Longest path of a unix socket, in bytes without the closing NUL: `sun_path` has 108 bytes on Linux and 104 on macOS and the BSDs,
 * so the smaller one is good everywhere.
 */
const SOCKET_PATH_BYTES = 103

/** What a socket's own name may take of it: a slash and up to 39 bytes (`/tunnel-<16 hex digits>.sock` needs 29). */
const SOCKET_NAME_BYTES = 40

/** Only the owner may look inside: keys, pins and sockets. */
const PRIVATE_MODE = 0o700

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The folders of this user's Beam. `BEAM_HOME` moves all of them; else the conventions of the platform hold (XDG on Linux).
 * Sockets go to `$XDG_RUNTIME_DIR` when that is usable; a runtime folder whose sockets would get too long a path is replaced by a
 * short one in the folder for temporary files, always the same one for the same place. Makes nothing: see {@link ensureFolders}.
 */
export function beamPaths(env: Environment = process.env): BeamPaths {
  const home = env['BEAM_HOME']
  if (home !== undefined && home !== '') {
    const root = resolve(home)
    return {
      config: join(root, 'config'),
      data: join(root, 'data'),
      state: join(root, 'state'),
      runtime: shortEnough(join(root, 'run')),
    }
  }
  const standard = envPaths('beam', { suffix: '' })
  const xdg = env['XDG_RUNTIME_DIR']
  return {
    config: standard.config,
    data: standard.data,
    state: standard.log,
    runtime: shortEnough(xdg !== undefined && isOwnFolder(xdg) ? join(xdg, 'beam') : join(standard.log, 'run')),
  }
}

/**
 * Makes the folders that are missing, for the owner only, and takes away what others may do with those that are there.
 * @throws ConfigError (`BEAM_ERR_KEY_STORAGE`) when a folder cannot be made, or belongs to somebody else.
 */
export function ensureFolders(paths: BeamPaths): void {
  for (const folder of [paths.config, paths.data, paths.state, paths.runtime]) ensurePrivate(folder)
}

function ensurePrivate(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_MODE })
  } catch (cause) {
    throw new ConfigError(`The folder ${folder} cannot be made: ${(cause as Error).message}`, {
      code: 'BEAM_ERR_KEY_STORAGE',
      hint: 'Make its parent writable, or set BEAM_HOME to a folder of your own.',
      cause,
    })
  }
  if (process.platform === 'win32') return
  // Somebody else may have made a folder of this name in the shared folder for temporary files, or put a link there.
  const stat = lstatSync(folder)
  const target = stat.isSymbolicLink() && !isShared(folder) ? statSync(folder) : stat
  if (!target.isDirectory() || target.uid !== process.getuid?.()) {
    throw new ConfigError(`The folder ${folder} is not yours alone.`, {
      code: 'BEAM_ERR_KEY_STORAGE',
      hint: 'It belongs to another user or is a link. Remove it, or set BEAM_HOME to a folder of your own.',
    })
  }
  if ((target.mode & 0o077) !== 0) chmodSync(folder, PRIVATE_MODE)
}

function isShared(folder: string): boolean {
  return resolve(folder, '..') === shortRoot()
}

/** Whether `folder` is there and ours, as the XDG base directory specification demands of `$XDG_RUNTIME_DIR` (after `su` it is not). */
function isOwnFolder(folder: string): boolean {
  if (!isAbsolute(folder)) return false
  const stat = statSync(folder, { throwIfNoEntry: false })
  return stat !== undefined && stat.isDirectory() && stat.uid === process.getuid?.()
}

function shortEnough(runtime: string): string {
  if (process.platform === 'win32') return runtime
  if (Buffer.byteLength(runtime) + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES) return runtime
  const id = createHash('sha256').update(runtime).digest('hex').slice(0, 12)
  return join(shortRoot(), `beam-${userInfo().uid}-${id}`)
}

/** The folder for temporary files, unless that is itself too deep for sockets (`$TMPDIR` on macOS nearly is). */
function shortRoot(): string {
  const folder = resolve(tmpdir())
  // "/beam-", a user id of up to 10 digits, "-" and 12 hex digits.
  return Buffer.byteLength(folder) + 29 + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES ? folder : '/tmp'
}
