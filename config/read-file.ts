import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { InvalidConfigError } from './problem.ts'

/**
 * Largest configuration file, in bytes. 256 tunnels with every setting take half of it; the YAML library compares every key of a map with
 * every other one, so that the time grows with the square.
 */
const MAX_CONFIG_BYTES = 128 * 1024

/** What a file was when it was read. */
export interface FileText {
  readonly text: string
  readonly bytes: Buffer
  /** Whether it began with a byte order mark (which `text` lacks). */
  readonly bom: boolean
  /** Permission bits. */
  readonly mode: number
  /** Id of the owner. */
  readonly uid: number
}

/**
 * Reads a configuration file: a regular file, UTF-8, of bounded size.
 * @param shown how messages name the file
 * @throws InvalidConfigError
 */
export async function readConfigFile(file: string, shown: string): Promise<FileText> {
  const fail = (message: string, hint?: string, cause?: unknown): InvalidConfigError =>
    new InvalidConfigError([{ file: shown, path: '', message }], { ...(hint === undefined ? {} : { hint }), cause })
  let handle: FileHandle | undefined
  try {
    // Non-blocking: opening a named pipe that nobody writes to would wait for ever.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const stat = await handle.stat()
    if (stat.isDirectory()) throw fail('this is a folder, not a file', 'Remove or rename it, or name the file with --file.')
    if (!stat.isFile()) throw fail('this is not a regular file')
    if (stat.size > MAX_CONFIG_BYTES) throw fail(`the file is too large: ${stat.size} bytes; at most ${MAX_CONFIG_BYTES} are read`)
    const bytes = Buffer.alloc(MAX_CONFIG_BYTES + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      ;({ bytesRead: read } = await handle.read(bytes, length, bytes.length - length, null))
    }
    if (length > MAX_CONFIG_BYTES) throw fail(`the file is too large; at most ${MAX_CONFIG_BYTES} bytes are read`)
    const { text, bom, problem } = decode(bytes.subarray(0, length))
    if (problem !== undefined) throw fail(problem, 'Save the file as UTF-8.')
    return { text, bytes: bytes.subarray(0, length), bom, mode: stat.mode & 0o777, uid: stat.uid }
  } catch (error) {
    if (error instanceof InvalidConfigError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw fail('there is no such file', 'Make one with: beam config init', error)
    if (code === 'EACCES' || code === 'EPERM')
      throw fail('the file cannot be read: permission denied', 'Give yourself the right to read it.', error)
    if (code === 'EISDIR') throw fail('this is a folder, not a file', undefined, error)
    throw fail(`the file cannot be read: ${(error as Error).message}`, undefined, error)
  } finally {
    await handle?.close()
  }
}

/** Text of bytes that claim to be UTF-8, or what they seem to be instead. */
function decode(bytes: Uint8Array): { readonly text: string; readonly bom: boolean; readonly problem?: string } {
  const [a, b, c] = bytes
  const wrong = (problem: string) => ({ text: '', bom: false, problem })
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return wrong('the file is not UTF-8 but UTF-16')
  if (bytes.includes(0)) return wrong('the file is not text: it contains NUL bytes')
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { text, bom: a === 0xef && b === 0xbb && c === 0xbf }
  } catch {
    return wrong('the file is not UTF-8')
  }
}
