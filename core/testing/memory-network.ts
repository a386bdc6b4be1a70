import { randomBytes } from 'node:crypto'
import { BackendUnavailableError, UnreachableError } from '../errors.ts'
import type { DialOptions } from '../powers.ts'
import type { MemoryStream } from '../streams/memory-stream.ts'

/** What a network knows of one published tunnel. */
export interface MemoryListener {
  /** Takes the publisher's end of a visitor's stream, or throws when this visitor may not in. */
  accept(stream: MemoryStream, options: DialOptions): void
  /** Throws when this visitor may not in. */
  admit(options: DialOptions): void
  /** Takes a message (message networks only). */
  message?(message: Uint8Array, replyTo: string | undefined): void
}

/** Form of an address: the name of the tunnel, or random letters. */
const ADDRESS = /^memory:\/\/[a-z0-9-]{1,64}$/

/** Whether a text is an address of a memory network. */
export function isMemoryAddress(address: string): boolean {
  return ADDRESS.test(address)
}

/** What the instances of {@link MemoryBackend} that were made for one network share: who listens where, who holds which domain. */
export class MemoryNetwork {
  readonly #listeners = new Map<string, MemoryListener>()
  readonly #domains = new Map<string, string>()
  readonly #sites = new Map<string, ReadonlyMap<string, Uint8Array>>()

  /**
   * Takes an address: `memory://<name>` for a name, a new one every time without.
   * @throws BackendUnavailableError (`BEAM_ERR_NAME_IN_USE`)
   */
  listen(name: string | undefined, listener: MemoryListener): string {
    const slug =
      name
        ?.toLowerCase()
        .replaceAll(/[^a-z0-9-]+/g, '-')
        .slice(0, 64) ?? randomBytes(16).toString('hex')
    const address = `memory://${slug === '' ? '-' : slug}`
    if (this.#listeners.has(address)) {
      throw new BackendUnavailableError(`The name ${slug} is taken on this network.`, {
        code: 'BEAM_ERR_NAME_IN_USE',
        hint: 'Use another name.',
      })
    }
    this.#listeners.set(address, listener)
    return address
  }

  /** Gives an address up, with every domain that points to it. */
  unlisten(address: string): void {
    this.#listeners.delete(address)
    for (const [domain, target] of this.#domains) if (target === address) this.#domains.delete(domain)
  }

  /** @throws UnreachableError (`BEAM_ERR_NOT_FOUND`) */
  listener(address: string): MemoryListener {
    const listener = this.#listeners.get(address)
    if (listener === undefined) throw new UnreachableError(`Nobody listens at ${address}.`, { code: 'BEAM_ERR_NOT_FOUND' })
    return listener
  }

  /** Points a domain to an address. @throws BackendUnavailableError (`BEAM_ERR_NAME_IN_USE`) when it points to another one. */
  claim(domain: string, address: string): void {
    const holder = this.#domains.get(domain)
    if (holder !== undefined && holder !== address) {
      throw new BackendUnavailableError(`The domain ${domain} is taken on this network.`, {
        code: 'BEAM_ERR_NAME_IN_USE',
        hint: 'Use another domain.',
      })
    }
    this.#domains.set(domain, address)
  }

  /** @throws UnreachableError (`BEAM_ERR_NOT_FOUND`) */
  resolve(domain: string): string {
    const address = this.#domains.get(domain)
    if (address === undefined) throw new UnreachableError(`Nobody claims ${domain}.`, { code: 'BEAM_ERR_NOT_FOUND' })
    return address
  }

  /** Stores a snapshot of a site. */
  putSite(address: string, files: ReadonlyMap<string, Uint8Array>): void {
    this.#sites.set(address, files)
  }

  /** One file of a stored site. @throws UnreachableError (`BEAM_ERR_NOT_FOUND`) */
  getSite(address: string, path: string): Uint8Array {
    const file = this.#sites.get(address)?.get(path)
    if (file === undefined) throw new UnreachableError(`There is no ${path} at ${address}.`, { code: 'BEAM_ERR_NOT_FOUND' })
    return file
  }
}
