import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Which port belongs to which tunnel name: what makes addresses survive restarts. */
export class KnownPorts {
  readonly #folder: string
  #queue: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The port of a name; undefined when it has none yet. */
  async get(name: string): Promise<number | undefined> {
    return (await this.#read())[name]
  }

  /** Stores the port of a name. One write at a time, so that none is lost. */
  set(name: string, port: number): Promise<void> {
    const write = this.#queue.then(async () => {
      const ports = { ...(await this.#read()), [name]: port }
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      // A file that is whole at every moment, also when the machine stops in the middle.
      await writeFile(`${this.#file}.new`, JSON.stringify(ports), { mode: 0o600 })
      await rename(`${this.#file}.new`, this.#file)
    })
    this.#queue = write.catch(() => {})
    return write
  }

  get #file(): string {
    return join(this.#folder, 'tin-can-ports.json')
  }

  async #read(): Promise<Readonly<Record<string, number>>> {
    try {
      return JSON.parse(await readFile(this.#file, 'utf8')) as Record<string, number>
    } catch {
      return {}
    }
  }
}
