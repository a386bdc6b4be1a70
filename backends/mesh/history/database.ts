import { rename, rm, stat } from 'node:fs/promises'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type * as SqliteModule from 'node-sqlite3-wasm'
import { systemClock, type Clock } from '../../../core/index.ts'

type Sqlite = typeof SqliteModule
type Database = InstanceType<Sqlite['Database']>

/** What SQLite itself keeps the file below, so that a history never fills a disk: pages of 4 KB, 16 MB together. */
const MAX_PAGES = 4096
/** How long to wait for another process that writes: a write takes milliseconds, and this process stands still meanwhile. */
const BUSY_MS = 500
/**
 * The driver locks a file by a folder beside it, which stays when a process is killed while it writes. A lock of this age has no owner any
 * more: nobody holds one for longer than a write.
 */
const STALE_LOCK_MS = 15_000
/** The driver's folder of a lock. */
const lockOf = (path: string): string => `${path}.lock`

let driver: Sqlite | undefined

/** Loaded when it is first needed: the program is 1.3 MB of WebAssembly. */
function sqlite(): Sqlite {
  driver ??= createRequire(import.meta.url)('node-sqlite3-wasm') as Sqlite
  return driver
}

/** Whether SQLite says that a file is no database, or a broken one. */
export function isDamaged(error: unknown): boolean {
  return error instanceof Error && /not a database|malformed|corrupt|database schema/i.test(error.message)
}

/**
 * Opens the database, lets it be used, and closes it again: nothing is held open or locked between two uses, so any number of processes can
 * share the file. A damaged file is set aside (`<path>.damaged`) and begun anew, once.
 * @throws Error of SQLite: disk full, no permission, locked for too long
 */
export async function withDatabase<T>(
  path: string,
  schema: string,
  use: (database: Database) => T,
  options: { readonly clock?: Clock; readonly onDamaged?: (kept: string) => void } = {},
): Promise<T> {
  await dropStaleLock(path, options.clock ?? systemClock)
  try {
    return opened(path, schema, use)
  } catch (error) {
    if (!isDamaged(error)) throw error
    const kept = `${path}.damaged`
    await rename(path, kept)
    await rm(`${path}-journal`, { force: true })
    options.onDamaged?.(kept)
    return opened(path, schema, use)
  }
}

function opened<T>(path: string, schema: string, use: (database: Database) => T): T {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const database = new (sqlite().Database)(path)
  try {
    database.exec(`PRAGMA busy_timeout=${BUSY_MS}; PRAGMA max_page_count=${MAX_PAGES}; ${schema}`)
    return use(database)
  } finally {
    database.close()
  }
}

async function dropStaleLock(path: string, clock: Clock): Promise<void> {
  try {
    const { mtimeMs } = await stat(lockOf(path))
    if (clock.now() - mtimeMs > STALE_LOCK_MS) await rm(lockOf(path), { recursive: true })
  } catch {
    // There is none, or its owner just took it away.
  }
}
