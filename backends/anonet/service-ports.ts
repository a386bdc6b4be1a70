import { join } from 'node:path'
import { readPrivateFile, writePrivateFile, type BeamPaths } from '../../core/index.ts'

/** A few thousand names. */
const MAX_BYTES = 256 * 1024

/** Which port in the mesh belongs to which name: with the node's address it is the address of a service, and is to last. */
export class ServicePorts {
  readonly #file: string
  #turn: Promise<unknown> = Promise.resolve()

  constructor(paths: BeamPaths) {
    this.#file = join(paths.data, 'anonet', 'ports.json')
  }

  async get(name: string): Promise<number | undefined> {
    return (await this.#read())[name]
  }

  /** Stores it, before it is shown to anybody. */
  async set(name: string, port: number): Promise<void> {
    const write = async (): Promise<void> => {
      const ports = await this.#read()
      if (ports[name] === port) return
      await writePrivateFile(this.#file, `${JSON.stringify({ ...ports, [name]: port }, undefined, 1)}\n`, { replace: true })
    }
    this.#turn = this.#turn.then(write, write)
    await this.#turn
  }

  async #read(): Promise<Readonly<Record<string, number>>> {
    const content = await readPrivateFile(this.#file, { maxBytes: MAX_BYTES })
    if (content === undefined) return {}
    try {
      const value: unknown = JSON.parse(content.toString('utf8'))
      if (typeof value !== 'object' || value === null) return {}
      return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => Number.isInteger(entry[1])))
    } catch {
      // Without it services get the ports that they get without a name.
      return {}
    }
  }
}
