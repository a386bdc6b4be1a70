import { createPrivateKey, type KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../errors.ts'
import type { BeamPaths } from '../paths.ts'
import { encodeKey, type KeyKind } from './address.ts'
import { generateIdentity, identityFromPrivateKey, type Identity } from './identity.ts'
import { listPrivateFolder, readPrivateFile, storageError, writePrivateFile } from './private-file.ts'
import { checkServiceName } from './service-name.ts'

/** Much more than the 300 bytes that a key file has. */
const MAX_KEY_FILE_BYTES = 4096

const SERVICE_PREFIX = 'service-'
const SUFFIX = '.key'

/** The keys that this user keeps: one per named tunnel, and the visitor key. Files of mode 0600 in a folder of mode 0700. */
export interface KeyStore {
  /**
   * The key of a named tunnel; made when it is asked for first. It is on the disk before this resolves, so the address survives a crash.
   * Two processes that ask at once get the same key.
   * @throws ConfigError `BEAM_ERR_NAME_INVALID`; `BEAM_ERR_KEY_STORAGE` when the key cannot be read or stored, or others can read it.
   */
  serviceKey(name: string): Promise<Identity>
  /** The key of a named tunnel, when there is one. Errors as above. */
  storedServiceKey(name: string): Promise<Identity | undefined>
  /**
   * Stores the key of a named tunnel that comes from elsewhere. The same key is left as it is; another one is replaced only with `replace`.
   * @throws ConfigError `BEAM_ERR_KEY_EXISTS`; errors as above.
   */
  importServiceKey(name: string, identity: Identity, options?: { readonly replace?: boolean }): Promise<void>
  /** The key by which publishers can know this visitor; made when it is asked for first. Errors as above. */
  visitorKey(): Promise<Identity>
  /** The key of this user's node on the mesh, by which other nodes know it; made when it is asked for first. Errors as above. */
  nodeKey(): Promise<Identity>
  /** Removes the key of a named tunnel, and with it the address for good; harmless when there is none. */
  forget(name: string): Promise<void>
  /** The names of the tunnels that have a key, in alphabetical order. */
  list(): Promise<readonly string[]>
}

/** The keys in `<data>/keys`. Does no I/O until it is asked for one. */
export function openKeyStore(paths: Pick<BeamPaths, 'data'>): KeyStore {
  const folder = join(paths.data, 'keys')
  const pathOf = (name: string): string => {
    checkServiceName(name)
    return join(folder, `${SERVICE_PREFIX}${name}${SUFFIX}`)
  }
  return {
    async serviceKey(name) {
      return readOrMake('service', pathOf(name))
    },
    async storedServiceKey(name) {
      return read('service', pathOf(name))
    },
    async importServiceKey(name, identity, { replace = false } = {}) {
      const path = pathOf(name)
      if (await writePrivateFile(path, serialise('service', identity), { replace })) return
      const stored = await read('service', path)
      if (stored !== undefined && Buffer.from(stored.publicKey).equals(identity.publicKey)) return
      throw new ConfigError(`Another key is stored for the tunnel ${name} already.`, {
        code: 'BEAM_ERR_KEY_EXISTS',
        hint: 'Import under another name (--as), or replace the key (--replace-keys): its address is lost then.',
      })
    },
    visitorKey: () => readOrMake('visitor', join(folder, `visitor${SUFFIX}`)),
    nodeKey: () => readOrMake('node', join(folder, `node${SUFFIX}`)),
    async forget(name) {
      const path = pathOf(name)
      await rm(path, { force: true }).catch((error: unknown) => {
        throw storageError(`${path} cannot be removed`, error)
      })
    },
    async list() {
      const files = (await listPrivateFolder(folder)).filter((file) => file.startsWith(SERVICE_PREFIX) && file.endsWith(SUFFIX))
      return files.map((file) => file.slice(SERVICE_PREFIX.length, -SUFFIX.length)).toSorted()
    },
  }
}

async function readOrMake(kind: KeyKind, path: string): Promise<Identity> {
  const stored = await read(kind, path)
  if (stored !== undefined) return stored
  const identity = generateIdentity()
  if (await writePrivateFile(path, serialise(kind, identity), { replace: false })) return identity
  // Another process was faster: its key counts.
  const theirs = await read(kind, path)
  if (theirs === undefined) throw storageError(`${path} vanished while it was read`)
  return theirs
}

/** The private key as PEM (RFC 7468), below a line with the public key: a damaged key is noticed instead of giving another address. */
function serialise(kind: KeyKind, identity: Identity): string {
  const pem = String(identity.privateKey.export({ format: 'pem', type: 'pkcs8' }))
  return `Beam ${kind} key ${encodeKey(kind, identity.publicKey)}. Whoever can read this file can use the key.\n${pem}`
}

async function read(kind: KeyKind, path: string): Promise<Identity | undefined> {
  const content = await readPrivateFile(path, { maxBytes: MAX_KEY_FILE_BYTES })
  if (content === undefined) return undefined
  const identity = parse(kind, content.toString('utf8'))
  if (identity !== undefined) return identity
  throw storageError(
    `${path} holds no intact ${kind} key`,
    undefined,
    'Restore it from a backup. Without it the address is lost: move the file away to get a new key.',
  )
}

function parse(kind: KeyKind, text: string): Identity | undefined {
  const [, label, pem] = /^Beam \w+ key (\w+)\..*\n(-----BEGIN PRIVATE KEY-----\n[^]+-----END PRIVATE KEY-----\n)$/.exec(text) ?? []
  if (label === undefined || pem === undefined) return undefined
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // What OpenSSL says of a broken key is no help, and nothing of the content belongs into an error.
    return undefined
  }
  const identity = identityFromPrivateKey(key)
  return identity !== undefined && encodeKey(kind, identity.publicKey) === label ? identity : undefined
}
