import { join } from 'node:path'
import { ConfigError } from '../../core/errors.ts'
import { readPrivateFile, writePrivateFile } from '../../core/identity/private-file.ts'
import type { BeamPaths } from '../../core/paths.ts'
import type { PublishRequest } from './protocol.ts'
import { faultOf } from './validate.ts'

/** Largest file: a thousand tunnels, each with a few allowed keys. */
const MAX_FILE_BYTES = 4 * 1024 * 1024
/** Most tunnels that are kept; the schema says the same. */
const MAX_KEPT = 1_000

/** A tunnel that was left with the daemon. */
export interface KeptTunnel {
  readonly id: string
  readonly since: string
  /** Whether the user chose its name. */
  readonly named: boolean
  readonly request: PublishRequest
}

/**
 * What the daemon is to carry, on the disk: `<data>/daemon/tunnels.json`, mode 0600, since it may hold secret words. A change is written
 * (whole, or not at all) before it counts.
 */
export class KeptTunnels {
  readonly #path: string
  #tunnels: readonly KeptTunnel[] = []
  #writing: Promise<unknown> = Promise.resolve()

  constructor(paths: Pick<BeamPaths, 'data'>) {
    this.#path = join(paths.data, 'daemon', 'tunnels.json')
  }

  /**
   * Reads them, at the start.
   * @throws ConfigError when the file cannot be read or is damaged; it is left as it is then.
   */
  async load(): Promise<readonly KeptTunnel[]> {
    const content = await readPrivateFile(this.#path, { maxBytes: MAX_FILE_BYTES })
    if (content !== undefined) this.#tunnels = this.#parse(content.toString('utf8'))
    return this.#tunnels
  }

  add(tunnel: KeptTunnel): Promise<void> {
    return this.#change((tunnels) => [...tunnels, tunnel])
  }

  /** Puts a tunnel in the place of the one with its id; harmless when that is not there any more. */
  replace(tunnel: KeptTunnel): Promise<void> {
    return this.#change((tunnels) => tunnels.map((one) => (one.id === tunnel.id ? tunnel : one)))
  }

  /** Forgets one; harmless when it is not there. */
  async remove(id: string): Promise<void> {
    if (this.#tunnels.some((tunnel) => tunnel.id === id)) await this.#change((tunnels) => tunnels.filter((tunnel) => tunnel.id !== id))
  }

  get(id: string): KeptTunnel | undefined {
    return this.#tunnels.find((tunnel) => tunnel.id === id)
  }

  #change(edit: (tunnels: readonly KeptTunnel[]) => readonly KeptTunnel[]): Promise<void> {
    const change = this.#writing.then(async () => {
      const tunnels = edit(this.#tunnels)
      if (tunnels.length > MAX_KEPT) {
        throw new ConfigError(`The daemon keeps ${MAX_KEPT} tunnels already.`, {
          code: 'BEAM_ERR_DAEMON',
          hint: 'End some: beam list, beam stop.',
        })
      }
      await writePrivateFile(this.#path, `${JSON.stringify({ version: 1, tunnels })}\n`, { replace: true })
      this.#tunnels = tunnels
    })
    this.#writing = change.catch(() => {})
    return change
  }

  #parse(text: string): readonly KeptTunnel[] {
    try {
      const value = JSON.parse(text) as { tunnels: readonly KeptTunnel[] }
      if (faultOf('requests#/$defs/kept', value) === undefined) return value.tunnels
    } catch {
      // No JSON: said below. What the parser says of it may quote a secret word.
    }
    throw new ConfigError(`${this.#path} is damaged: it does not say which tunnels the daemon keeps.`, {
      code: 'BEAM_ERR_DAEMON',
      hint: 'Restore it from a backup, or move it away and publish those tunnels again (beam up -d, beam 3000 -d).',
    })
  }
}
