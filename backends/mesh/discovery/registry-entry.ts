import { KEY_TEXT_LENGTH } from '../../../core/index.ts'

/** One published tunnel of this user on this machine. */
export interface RegistryEntry {
  /** The service key in its text form. */
  readonly key: string
  /** The process that publishes it. */
  readonly pid: number
  /** Its port on the loopback interface. */
  readonly port: number
  /** The claimed domain, in lower case. */
  readonly domain?: string
}

/** An entry has about 150 bytes; a domain 253 at most (RFC 1035 section 2.3.4). */
export const MAX_ENTRY_BYTES = 1024
/** Version of the format; an entry of another one is passed over. */
const VERSION = 1
const FILE_NAME = new RegExp(`^[a-z2-7]{${KEY_TEXT_LENGTH}}\\.(\\d{1,10})\\.\\d{1,10}\\.json(\\.tmp)?$`)

/** The key comes first, so that a lookup opens only the files it needs; then the process, so that one can tell without opening who is dead. */
export function entryFileName({ key, pid }: RegistryEntry, serial: number): string {
  return `${key}.${pid}.${serial}.json`
}

/** The process that a file belongs to; undefined when the file is none of ours. */
export function parseEntryFileName(name: string): { readonly pid: number; readonly temporary: boolean } | undefined {
  const match = FILE_NAME.exec(name)
  return match === null ? undefined : { pid: Number(match[1]), temporary: match[2] !== undefined }
}

/** The content of an entry's file. */
export function serializeEntry(entry: RegistryEntry): string {
  return `${JSON.stringify({ version: VERSION, ...entry })}\n`
}

/** Reads the content of an entry's file; undefined when it is damaged or of another version. */
export function parseEntry(text: string): RegistryEntry | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { version, key, pid, port, domain } = value as Record<string, unknown>
  if (version !== VERSION || typeof key !== 'string' || key.length !== KEY_TEXT_LENGTH) return undefined
  if (!isWhole(pid, 1, 2 ** 31) || !isWhole(port, 1, 65535)) return undefined
  if (domain !== undefined && typeof domain !== 'string') return undefined
  return { key, pid, port, ...(domain === undefined ? {} : { domain }) }
}

function isWhole(value: unknown, from: number, to: number): value is number {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to
}
