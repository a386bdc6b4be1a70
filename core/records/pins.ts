import { join } from 'node:path'
import { sleep, systemClock } from '../clock.ts'
import { UnreachableError } from '../errors.ts'
import { decodeKey, encodeKey, formatBeamAddress } from '../identity/address.ts'
import { KEY_BYTES } from '../identity/identity.ts'
import { readPrivateFile, storageError, writePrivateFile } from '../identity/private-file.ts'
import { tryProcessLock } from '../identity/process-lock.ts'
import type { BeamPaths } from '../paths.ts'
import { normaliseName } from './name.ts'

/** Names that are kept: more than anybody visits, and the file stays small enough to be read for every lookup. */
const MAX_PINS = 10_000
/** Room for so many names of the longest kind, each with its key and punctuation. */
const MAX_FILE_BYTES = MAX_PINS * 400
/** How long another process may take to write its pin before this one gives up, and how often to look. Writing takes milliseconds. */
const LOCK_TIMEOUT_MS = 3000
const LOCK_RETRY_MS = 20

/** The keys that were accepted for names: trust on first use. */
export interface PinStore {
  /** The accepted key of a name; undefined when none was accepted. */
  lookup(name: string): Promise<Uint8Array | undefined>
  /**
   * Accepts a key for a name. Harmless when it is accepted already.
   * @throws UnreachableError (`BEAM_ERR_NAME_CONFLICT`) when another key was accepted before, also just now by another process.
   */
  accept(name: string, key: Uint8Array): Promise<void>
  /** Forgets the accepted key of a name; false when there was none. */
  forget(name: string): Promise<boolean>
  /** All accepted keys, by name. */
  list(): Promise<ReadonlyMap<string, Uint8Array>>
}

/**
 * The pins of this user, in `<data>/pins.json` (mode 0600): `{ "version": 1, "names": { "myapp.local": "<56 characters>" } }`. Every call
 * reads the file, so that other processes' pins count at once; writers exclude each other by a lock and replace the file in one step.
 * All calls throw ConfigError: `BEAM_ERR_NAME_INVALID` for what is no domain, `BEAM_ERR_KEY_STORAGE` when the file is damaged (it is left
 * as it is) or cannot be read or written.
 */
export function openPins(paths: Pick<BeamPaths, 'data' | 'runtime'>): PinStore {
  const path = join(paths.data, 'pins.json')
  const change = async <T>(edit: (pins: Map<string, Uint8Array>) => { result: T; changed: boolean }): Promise<T> => {
    const lock = await waitForLock(paths)
    try {
      const pins = await read(path)
      const { result, changed } = edit(pins)
      if (changed) await writePrivateFile(path, serialise(pins), { replace: true })
      return result
    } finally {
      await lock[Symbol.asyncDispose]()
    }
  }
  return {
    async lookup(name) {
      const normal = normaliseName(name)
      return (await read(path)).get(normal)
    },
    async accept(name, key) {
      if (key.length !== KEY_BYTES) throw new RangeError(`an Ed25519 key has ${KEY_BYTES} bytes`)
      const normal = normaliseName(name)
      await change((pins) => {
        const known = pins.get(normal)
        if (known !== undefined && Buffer.compare(known, key) === 0) return { result: undefined, changed: false }
        if (known !== undefined) throw conflict(normal, known, key)
        if (pins.size >= MAX_PINS) throw storageError(`${path} holds ${MAX_PINS} names already`, undefined, 'Forget some of them first.')
        pins.set(normal, key)
        return { result: undefined, changed: true }
      })
    },
    async forget(name) {
      const normal = normaliseName(name)
      return change((pins) => {
        const result = pins.delete(normal)
        return { result, changed: result }
      })
    },
    list: () => read(path),
  }
}

async function read(path: string): Promise<Map<string, Uint8Array>> {
  const content = await readPrivateFile(path, { maxBytes: MAX_FILE_BYTES })
  const pins = content === undefined ? new Map<string, Uint8Array>() : parse(content.toString('utf8'))
  if (pins !== undefined) return pins
  // Starting afresh would accept whoever claims a name next, so that is left to the user.
  throw storageError(
    `${path} is damaged or of another version`,
    undefined,
    'Mend it or restore a copy. If you move it away, every name is new again: check each key with its publisher.',
  )
}

function parse(text: string): Map<string, Uint8Array> | undefined {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    return undefined
  }
  const { version, names } = (file ?? {}) as { version?: unknown; names?: unknown }
  if (version !== 1 || typeof names !== 'object' || names === null || Array.isArray(names)) return undefined
  const pins = new Map<string, Uint8Array>()
  for (const [name, value] of Object.entries(names)) {
    const key = typeof value === 'string' ? decodeKey('service', value) : undefined
    if (key === undefined) return undefined
    pins.set(name, key)
  }
  return pins
}

function serialise(pins: ReadonlyMap<string, Uint8Array>): string {
  const names = Object.fromEntries(
    [...pins].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, key]) => [name, encodeKey('service', key)]),
  )
  return `${JSON.stringify({ version: 1, names }, null, 2)}\n`
}

async function waitForLock(paths: Pick<BeamPaths, 'runtime'>): Promise<AsyncDisposable> {
  const deadline = systemClock.monotonic() + LOCK_TIMEOUT_MS
  for (;;) {
    const result = await tryProcessLock(paths, 'pins')
    if ('lock' in result) return result.lock
    if (systemClock.monotonic() > deadline) {
      const who = result.heldBy > 0 ? `process ${result.heldBy}` : 'another process'
      throw storageError(
        `The accepted keys are being written by ${who}, which does not come to an end`,
        undefined,
        'Try again, or end that process.',
      )
    }
    await sleep(LOCK_RETRY_MS)
  }
}

function conflict(name: string, known: Uint8Array, key: Uint8Array): UnreachableError {
  return new UnreachableError(`${name} stands for ${formatBeamAddress(known)}; ${formatBeamAddress(key)} is not accepted for it.`, {
    code: 'BEAM_ERR_NAME_CONFLICT',
    retry: 'never',
    hint: 'Ask the publisher, by another way, for the full beam:// address. Only if it has really changed, forget the accepted key first.',
  })
}
