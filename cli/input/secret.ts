import { open } from 'node:fs/promises'
import { ConfigError } from '../../core/errors.ts'
import { Interrupted } from '../lifetime.ts'

/** Longest secret word, in bytes: far above what people use, and a wrong file (a disk image) is not read into memory. */
const MAX_SECRET_BYTES = 4_096

/** Where a secret word may come from: the flags and the environment. */
export interface SecretSources {
  readonly secret?: string | undefined
  readonly file?: string | undefined
  readonly env?: string | undefined
  /** What it is called. Default: `secret word`. */
  readonly called?: string
}

/**
 * The secret word: from `--secret`, `--secret -` (asked for without echo, or the first line of standard input), `--secret-file` or
 * `BEAM_SECRET`, in this order. Never printed.
 * @throws ConfigError (`BEAM_ERR_USAGE`) when it is empty, too long, or its file cannot be read
 */
export async function readSecret(sources: SecretSources, stdin: NodeJS.ReadStream = process.stdin): Promise<string | undefined> {
  const { secret, file, env, called = 'secret word' } = sources
  if (secret === '-') return checked(stdin.isTTY ? await ask(stdin, called) : await firstLine(stdin), `The ${called}`, called)
  if (secret !== undefined) return checked(secret, '--secret', called)
  if (file !== undefined) return checked(firstOf(await readStart(file, called)), `The file ${file}`, called)
  return env === undefined || env === '' ? undefined : checked(env, 'BEAM_SECRET', called)
}

function checked(word: string, source: string, called: string): string {
  if (word === '') throw new ConfigError(`${source} is empty: a ${called} is needed.`, { code: 'BEAM_ERR_USAGE' })
  if (Buffer.byteLength(word) > MAX_SECRET_BYTES) {
    throw new ConfigError(`${source} is longer than ${MAX_SECRET_BYTES} bytes.`, { code: 'BEAM_ERR_USAGE' })
  }
  return word
}

const firstOf = (text: string): string => text.split(/\r?\n/, 1)[0] ?? ''

async function readStart(file: string, called: string): Promise<string> {
  try {
    const handle = await open(file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_SECRET_BYTES + 2), 0, MAX_SECRET_BYTES + 2, 0)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw new ConfigError(`The file of the ${called} cannot be read: ${(cause as Error).message}`, { code: 'BEAM_ERR_USAGE', cause })
  }
}

async function firstLine(stdin: NodeJS.ReadStream): Promise<string> {
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > MAX_SECRET_BYTES) break
  }
  return firstOf(text)
}

/** Asks at the terminal; nothing that is typed is shown. Ctrl-C ends the command as usual. */
function ask(stdin: NodeJS.ReadStream, called: string): Promise<string> {
  process.stderr.write(`${called.slice(0, 1).toUpperCase()}${called.slice(1)}: `)
  stdin.setRawMode(true)
  stdin.resume()
  return new Promise((resolve, reject) => {
    let word = ''
    const onData = (chunk: Buffer): void => {
      for (const char of chunk.toString('utf8')) {
        if (char === '\r' || char === '\n' || char === '\u0004') return done()
        if (char === '\u0003') {
          restore()
          return reject(new Interrupted('interrupted'))
        }
        if (char === '\u007F' || char === '\b') word = Array.from(word).slice(0, -1).join('')
        else word += char
      }
    }
    const restore = (): void => {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      process.stderr.write('\n')
    }
    const done = (): void => {
      restore()
      resolve(word)
    }
    stdin.on('data', onData)
  })
}
