import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  decodeKey,
  encodeKey,
  normaliseName,
  silentLogger,
  systemClock,
  Upkeep,
  type Announced,
  type Announcement,
  type AnnouncementState,
  type Clock,
  type Discovery,
  type DiscoveryStatus,
  type Found,
  type Logger,
} from '../../../core/index.ts'
import { entryFileName, parseEntry, parseEntryFileName, serializeEntry, MAX_ENTRY_BYTES, type RegistryEntry } from './registry-entry.ts'

/** What the registry needs. */
export interface RegistryOptions {
  /** The user's runtime folder ({@link BeamPaths.runtime}). */
  readonly runtimeFolder: string
  readonly clock?: Clock
  readonly logger?: Logger
  /** Whether a process is alive; tests pass their own. */
  readonly isAlive?: (pid: number) => boolean
}

/** A folder with more entries than this is not ours: one user publishes dozens of tunnels, not thousands. */
const MAX_ENTRIES = 4096
/** Contacts of one key: one, or two while a process takes over from another. */
const MAX_FOUND = 8

let lastSerial = 0

/** Discovery for the processes of one user on one machine: a small file for each tunnel in `<runtime>/services/`. */
export function registryDiscovery(options: RegistryOptions): Discovery {
  return new RegistryDiscovery(options)
}

class RegistryDiscovery implements Discovery {
  readonly name = 'registry'
  readonly #folder: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #isAlive: (pid: number) => boolean
  readonly #announced = new Set<Announced>()
  #used = false
  #problem: string | undefined

  constructor({ runtimeFolder, clock = systemClock, logger = silentLogger, isAlive = isProcessAlive }: RegistryOptions) {
    this.#folder = join(runtimeFolder, 'services')
    this.#clock = clock
    this.#logger = logger
    this.#isAlive = isAlive
  }

  announce(announcement: Announcement, onState?: (state: AnnouncementState, reason: string) => void): Announced {
    lastSerial += 1
    const entry: RegistryEntry = {
      key: encodeKey('service', announcement.serviceKey),
      pid: process.pid,
      port: announcement.port,
      ...(announcement.domain === undefined ? {} : { domain: normaliseName(announcement.domain) }),
    }
    const path = join(this.#folder, entryFileName(entry, lastSerial))
    let state: AnnouncementState = 'pending'
    const setState = (next: AnnouncementState, reason: string): void => {
      if (state === next) return
      state = next
      onState?.(next, reason)
    }
    const upkeep = new Upkeep({
      clock: this.#clock,
      backoff: { baseMs: 500, maxMs: 60_000 },
      work: async () => {
        await this.#write(path, entry)
        this.#problem = undefined
        setState('announced', 'other processes of this user find it')
      },
      onFailure: (error) => {
        this.#problem = `cannot write ${this.#folder} (${errorCode(error)})`
        setState('failed', this.#problem)
      },
    })
    upkeep.wake()
    const announced: Announced = {
      // The file says where, not what: it does not change with the record.
      update: () => {},
      get state() {
        return state
      },
      stop: async () => {
        this.#announced.delete(announced)
        await upkeep.stop()
        await rm(path, { force: true }).catch(() => {})
      },
    }
    this.#announced.add(announced)
    return announced
  }

  async *find(serviceKey: Uint8Array, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<Found, void> {
    const key = encodeKey('service', serviceKey)
    let found = 0
    for await (const entry of this.#entries(signal, (name) => name.startsWith(key))) {
      if (entry.key !== key || found >= MAX_FOUND) continue
      found += 1
      yield { source: this.name, contacts: [{ kind: 'tcp', host: '127.0.0.1', port: entry.port }] }
    }
  }

  async *claimants(name: string, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<Uint8Array, void> {
    const seen = new Set<string>()
    const domain = normaliseName(name)
    for await (const entry of this.#entries(signal, () => true)) {
      const key = entry.domain === domain && !seen.has(entry.key) ? decodeKey('service', entry.key) : undefined
      if (key === undefined) continue
      seen.add(entry.key)
      yield key
    }
  }

  status(): DiscoveryStatus {
    if (this.#problem !== undefined) return { state: 'unreachable', detail: this.#problem }
    return { state: this.#used || this.#announced.size > 0 ? 'ready' : 'idle' }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#announced].map((announced) => announced.stop()))
  }

  async *#entries(signal: AbortSignal, wanted: (fileName: string) => boolean): AsyncGenerator<RegistryEntry, void> {
    this.#used = true
    for (const fileName of await this.#list()) {
      if (signal.aborted) return
      const name = parseEntryFileName(fileName)
      if (name === undefined) continue
      const path = join(this.#folder, fileName)
      if (!this.#isAlive(name.pid)) {
        this.#logger.debug('removed the registry entry of a dead process', { pid: name.pid })
        await rm(path, { force: true }).catch(() => {})
        continue
      }
      if (name.temporary || !wanted(fileName)) continue
      const entry = parseEntry(await readEntry(path))
      // The name and the content must agree: a file that was renamed by hand is not believed.
      if (entry !== undefined && entry.pid === name.pid) yield entry
    }
  }

  async #list(): Promise<string[]> {
    try {
      await refuseForeign(this.#folder)
      return (await readdir(this.#folder)).slice(0, MAX_ENTRIES)
    } catch {
      // Nobody has published yet, or the folder cannot be read: either way nothing is known here.
      return []
    }
  }

  /** Writes beside and renames, so that nobody reads half an entry. */
  async #write(path: string, entry: RegistryEntry): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await refuseForeign(this.#folder)
    const temporary = `${path}.tmp`
    // Left by a dead process of the same number. `wx` then makes a new file and follows no link.
    await rm(temporary, { force: true })
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(serializeEntry(entry))
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  }
}

/** Who else can change the folder, or the one around it, could name services of theirs here, and lead what we write elsewhere. */
async function refuseForeign(folder: string): Promise<void> {
  const user = process.getuid?.()
  if (user === undefined) return
  for (const path of [folder, dirname(folder)]) {
    const { uid, mode } = await stat(path)
    if ((uid === user || user === 0) && (mode & 0o022) === 0) continue
    throw Object.assign(new Error(`${path} can be changed by other users`), { code: 'EPERM' })
  }
}

async function readEntry(path: string): Promise<string> {
  try {
    const bytes = await readFile(path)
    return bytes.length <= MAX_ENTRY_BYTES ? bytes.toString('utf8') : ''
  } catch {
    // Withdrawn between listing and reading.
    return ''
  }
}

/** Signal 0 only asks whether the process is there; EPERM says that it is, and another user's. */
function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error'
}
