import { join } from 'node:path'
import { ConfigError, readPrivateFile, writePrivateFile, type BeamPaths } from '../../core/index.ts'
import { readAddress } from './address.ts'
import { MAX_BOOK_BYTES, MAX_BOOK_NAMES } from './constants.ts'

/** The address book of this user: names that were given to own services, so that this machine can dial them by name. */
export class AddressBook {
  readonly #path: string

  constructor({ data }: Pick<BeamPaths, 'data'>) {
    this.#path = join(data, 'i2p', 'addresses.txt')
  }

  /** The address of a name, if it is in the book. */
  async find(name: string): Promise<string | undefined> {
    return (await this.#read()).get(name)
  }

  /** Writes a name down, in place of what it stood for before. */
  async add(name: string, host: string): Promise<void> {
    const entries = await this.#read()
    if (entries.get(name) === host) return
    entries.delete(name)
    entries.set(name, host)
    // The oldest go first: a book that only grows would be read for ever.
    const text = [...entries].slice(-MAX_BOOK_NAMES).map(([key, value]) => `${key}=${value}\n`)
    await writePrivateFile(this.#path, text.join(''), { replace: true })
  }

  async #read(): Promise<Map<string, string>> {
    const content = await readPrivateFile(this.#path, { maxBytes: MAX_BOOK_BYTES })
    const entries = new Map<string, string>()
    for (const line of (content?.toString('latin1') ?? '').split('\n')) {
      if (line.trim() === '') continue
      const [name = '', host = ''] = line.split('=', 2)
      if (readAddress(name)?.kind !== 'name' || readAddress(host) === undefined) {
        throw new ConfigError(`${this.#path} has a line that is no name and address.`, {
          hint: 'Remove the line: each says mysite.i2p=….b32.i2p',
        })
      }
      entries.set(name, host)
    }
    return entries
  }
}
