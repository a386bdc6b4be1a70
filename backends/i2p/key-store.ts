import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { checkServiceName, ConfigError, readPrivateFile, writePrivateFile, type BeamPaths } from '../../core/index.ts'
import { MAX_KEY_BYTES, readKeys, type DestinationKeys } from './keys.ts'

/** Whose keys they are: a published service's, or a visitor's who wants to be known. */
export type KeyPurpose = 'service' | 'visitor'

/** The key files of this user: `<data>/i2p/service-<name>.key`, readable by their owner only. */
export class I2pKeyStore {
  readonly #folder: string

  constructor({ data }: Pick<BeamPaths, 'data'>) {
    this.#folder = join(data, 'i2p')
  }

  /** The keys of a name; undefined when there are none. @throws ConfigError (`BEAM_ERR_KEY_STORAGE`) */
  async read(purpose: KeyPurpose, name: string): Promise<DestinationKeys | undefined> {
    const path = this.#path(purpose, name)
    const content = await readPrivateFile(path, { maxBytes: 2 * MAX_KEY_BYTES })
    if (content === undefined) return undefined
    const keys = parseKeyFile(content.toString('latin1'))
    if (keys !== undefined) return keys
    throw notIntact(path, 'Restore it from a backup. Without it the address is lost: move the file away to get a new one.')
  }

  /** The keys of a name, made when it is asked for first. They are on the disk before this resolves. */
  async readOrMake(purpose: KeyPurpose, name: string, make: () => Promise<DestinationKeys>): Promise<DestinationKeys> {
    const stored = await this.read(purpose, name)
    if (stored !== undefined) return stored
    return this.#store(purpose, name, await make())
  }

  /**
   * Takes the keys of a file for a name that has none, or has the same.
   * @throws ConfigError when it has others
   */
  async import(name: string, keys: DestinationKeys): Promise<DestinationKeys> {
    const stored = (await this.read('service', name)) ?? (await this.#store('service', name, keys))
    if (stored.secret === keys.secret) return stored
    throw new ConfigError(`The name ${name} has other I2P keys than the file: its address is ${stored.b32}.`, {
      code: 'BEAM_ERR_KEY_STORAGE',
      hint: `Choose another --name, or move ${this.#path('service', name)} away.`,
    })
  }

  /** The keys of a service, for another machine. */
  async export(name: string): Promise<Uint8Array | undefined> {
    const keys = await this.read('service', name)
    return keys === undefined ? undefined : Buffer.from(keys.secret)
  }

  /**
   * Takes what `export` gave on another machine.
   * @throws ConfigError (`BEAM_ERR_KEY_STORAGE`; `BEAM_ERR_KEY_EXISTS` when there are others, unless they are to be replaced)
   */
  async take(name: string, material: Uint8Array, options: { readonly replace?: boolean }): Promise<void> {
    const keys = readKeys(Buffer.from(material))
    if (keys === undefined) throw new ConfigError(`These are no I2P keys for ${name}.`, { code: 'BEAM_ERR_KEY_STORAGE' })
    const stored = await this.read('service', name)
    if (stored?.secret === keys.secret) return
    if (stored !== undefined && options.replace !== true) throw otherKeys(name)
    await writePrivateFile(this.#path('service', name), keyFile('service', keys), { replace: true })
  }

  async #store(purpose: KeyPurpose, name: string, keys: DestinationKeys): Promise<DestinationKeys> {
    if (await writePrivateFile(this.#path(purpose, name), keyFile(purpose, keys), { replace: false })) return keys
    // Another process was faster: its keys count.
    return (await this.read(purpose, name)) ?? keys
  }

  #path(purpose: KeyPurpose, name: string): string {
    checkServiceName(name)
    return join(this.#folder, `${purpose}-${name}.key`)
  }
}

/** Reads a key file that the user names: base64, or the bytes as routers keep them. @throws ConfigError (`BEAM_ERR_KEY_STORAGE`) */
export async function readKeyFile(path: string): Promise<DestinationKeys> {
  const content = (await readPrivateFile(path, { maxBytes: 2 * MAX_KEY_BYTES })) ?? (await missing(path))
  const keys = parseKeyFile(content.toString('latin1')) ?? readKeys(content)
  if (keys !== undefined) return keys
  throw notIntact(path, 'Give the private keys of a destination: eepPriv.dat, a .dat file of i2pd, or the base64 text of either.')
}

/** The private key below a line with the address: a damaged file is noticed instead of giving another address. */
function keyFile(purpose: KeyPurpose, { b32, secret }: DestinationKeys): string {
  return `Beam I2P ${purpose} key ${b32}. Whoever can read this file can use the key.\n${secret}\n`
}

function parseKeyFile(text: string): DestinationKeys | undefined {
  const [, b32, secret] = /^Beam I2P \w+ key ([a-z2-7]{52}\.b32\.i2p)\..*\n([A-Za-z0-9~=-]+)\n?$/.exec(text) ?? []
  if (b32 === undefined || secret === undefined) return undefined
  const keys = readKeys(Buffer.from(secret))
  return keys?.b32 === b32 ? keys : undefined
}

async function missing(path: string): Promise<never> {
  try {
    await (await open(path)).close()
  } catch (cause) {
    throw new ConfigError(`The key file ${path} cannot be read.`, { code: 'BEAM_ERR_KEY_STORAGE', cause })
  }
  throw notIntact(path, 'Try again.')
}

function otherKeys(name: string): ConfigError {
  return new ConfigError(`There are other I2P keys for ${name} already.`, {
    code: 'BEAM_ERR_KEY_EXISTS',
    hint: 'Give --replace-keys to lose the address that they have, or take another name.',
  })
}

function notIntact(path: string, hint: string): ConfigError {
  return new ConfigError(`${path} holds no intact I2P keys.`, { code: 'BEAM_ERR_KEY_STORAGE', hint })
}
