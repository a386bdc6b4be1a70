import { join } from 'node:path'
import { checkServiceName, ConfigError, readPrivateFile, writePrivateFile } from '../../../../core/index.ts'
import type { Flavour } from '../flavour.ts'
import { generateOnionKey, onionKeyOf, parsePrivateKey, type OnionKey } from './onion-key.ts'

/** Much more than the 300 bytes that a key file has. */
const MAX_KEY_FILE_BYTES = 4096

/** The keys of this network's named services: one file each, `<folder>/keys/<name>.key`, mode 0600. */
export class OnionKeyStore {
  readonly #folder: string
  readonly #flavour: Flavour

  constructor(folder: string, flavour: Flavour) {
    this.#folder = join(folder, 'keys')
    this.#flavour = flavour
  }

  /**
   * The key of a named service; made when it is asked for first. It is on the disk before this resolves, so the address survives a crash.
   * Two processes that ask at once get the same key.
   * @throws ConfigError (`BEAM_ERR_NAME_INVALID`, `BEAM_ERR_KEY_STORAGE`)
   */
  async serviceKey(name: string): Promise<OnionKey> {
    const path = this.#path(name)
    const stored = await this.#read(path)
    if (stored !== undefined) return stored
    const key = generateOnionKey(this.#flavour)
    if (await writePrivateFile(path, this.#serialise(key), { replace: false })) return key
    // Another process was faster: its key counts.
    const theirs = await this.#read(path)
    if (theirs === undefined) throw damaged(`${path} vanished while it was read`)
    return theirs
  }

  /** The file of a name as it is; undefined when there is none. @throws ConfigError (`BEAM_ERR_KEY_STORAGE`) */
  async exportKey(name: string): Promise<Uint8Array | undefined> {
    const path = this.#path(name)
    const key = await this.#read(path)
    return key === undefined ? undefined : Buffer.from(this.#serialise(key))
  }

  /** Stores what `exportKey` gave. @throws ConfigError (`BEAM_ERR_KEY_STORAGE`, `BEAM_ERR_KEY_EXISTS`) */
  async importKey(name: string, material: Uint8Array, { replace }: { readonly replace: boolean }): Promise<void> {
    const path = this.#path(name)
    const key = material.length > MAX_KEY_FILE_BYTES ? undefined : this.#parse(Buffer.from(material).toString('utf8'))
    if (key === undefined) throw damaged(`The given material is no intact key of a .${this.#flavour.suffix} service`)
    const present = await this.#read(path)
    if (present?.id === key.id) return
    if (present !== undefined && !replace) {
      throw new ConfigError(`There is another .${this.#flavour.suffix} key for the name "${name}" already.`, {
        code: 'BEAM_ERR_KEY_EXISTS',
        hint: 'Replacing it loses the address that it stands for: --replace-keys says that this is meant.',
      })
    }
    await writePrivateFile(path, this.#serialise(key), { replace: true })
  }

  #path(name: string): string {
    checkServiceName(name)
    return join(this.#folder, `${name}.key`)
  }

  async #read(path: string): Promise<OnionKey | undefined> {
    const content = await readPrivateFile(path, { maxBytes: MAX_KEY_FILE_BYTES })
    if (content === undefined) return undefined
    const key = this.#parse(content.toString('utf8'))
    if (key === undefined) throw damaged(`${path} holds no intact key of a .${this.#flavour.suffix} service`)
    return key
  }

  /** PEM below a line with the address: a damaged key is noticed instead of giving another address. */
  #serialise({ id, privateKey }: OnionKey): string {
    const pem = String(privateKey.export({ format: 'pem', type: 'pkcs8' }))
    return `Beam key of ${id}.${this.#flavour.suffix}. Whoever can read this file can use the address.\n${pem}`
  }

  #parse(text: string): OnionKey | undefined {
    const [, id, suffix, pem] =
      /^Beam key of ([a-z2-7]{56})\.([a-z]+)\..*\n(-----BEGIN PRIVATE KEY-----\n[^]+-----END PRIVATE KEY-----\n)$/.exec(text) ?? []
    const privateKey = pem === undefined ? undefined : parsePrivateKey(pem)
    if (privateKey === undefined || suffix !== this.#flavour.suffix) return undefined
    const key = onionKeyOf(privateKey, this.#flavour)
    return key.id === id ? key : undefined
  }
}

function damaged(what: string): ConfigError {
  return new ConfigError(`${what}.`, {
    code: 'BEAM_ERR_KEY_STORAGE',
    hint: 'Restore it from a backup. Without it the address is lost: move the file away to get a new key.',
  })
}
