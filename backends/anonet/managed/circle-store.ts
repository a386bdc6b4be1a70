import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BackendUnavailableError,
  ConfigError,
  generateIdentity,
  readPrivateFile,
  seedOf,
  sleep,
  tryProcessLock,
  writePrivateFile,
  type BeamPaths,
} from '../../../core/index.ts'
import type { Circle } from './friend.ts'

/** The largest circle: 64 friends and as many invitations, a kilobyte each. */
const MAX_BYTES = 256 * 1024
/** Another command that changes the circle is done within milliseconds. */
const LOCK_ATTEMPTS = 50
const LOCK_WAIT_MS = 100

/** The file with a node's keys and friends: readable by its owner only, written before anything in it is shown or used. */
export class CircleStore {
  readonly file: string
  readonly #paths: BeamPaths

  constructor(paths: BeamPaths) {
    this.#paths = paths
    this.file = join(paths.data, 'anonet', 'circle.json')
  }

  /** What is stored; undefined before the first invitation. @throws ConfigError (`BEAM_ERR_KEY_STORAGE`) */
  async read(): Promise<Circle | undefined> {
    const content = await readPrivateFile(this.file, { maxBytes: MAX_BYTES })
    if (content === undefined) return undefined
    try {
      const value = JSON.parse(content.toString('utf8')) as Circle & { readonly version?: unknown }
      if (value.version === 1 && typeof value.seed === 'string' && Array.isArray(value.friends) && Array.isArray(value.invites))
        return value
    } catch {
      // Said below.
    }
    throw new ConfigError(`${this.file} is damaged.`, {
      code: 'BEAM_ERR_KEY_STORAGE',
      hint: 'Restore it from a backup. Without it your friends have to be invited anew.',
    })
  }

  /** The circle, with a new key when there is none. */
  async open(): Promise<Circle> {
    return (await this.read()) ?? this.change((circle) => circle)
  }

  /** Changes the circle; nobody else does so meanwhile. Returns what is stored then. */
  async change(step: (circle: Circle) => Circle): Promise<Circle> {
    const lock = await this.#lock()
    try {
      const old = (await this.read()) ?? { seed: seedOf(generateIdentity()).toString('base64url'), invites: [], friends: [] }
      const circle = step(old)
      await writePrivateFile(this.file, `${JSON.stringify({ version: 1, ...circle }, undefined, 1)}\n`, { replace: true })
      return circle
    } finally {
      await lock[Symbol.asyncDispose]()
    }
  }

  /** Changes when the file does. */
  async version(): Promise<string> {
    const stats = await stat(this.file).catch(() => undefined)
    return stats === undefined ? '' : `${stats.ino}:${stats.mtimeMs}`
  }

  async #lock(): Promise<AsyncDisposable> {
    for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
      const result = await tryProcessLock(this.#paths, `anonet circle ${this.file}`)
      if ('lock' in result) return result.lock
      await sleep(LOCK_WAIT_MS)
    }
    throw new BackendUnavailableError('Another command is changing the list of friends.', { hint: 'Try again in a moment.' })
  }
}
