import { ConfigError, encodeKey, identityFromSeed, KEY_BYTES, MAX_KEY_MATERIAL_BYTES, seedOf, type Identity } from '../../core/index.ts'

/** Keys and secret settings of one named tunnel: what gives it its addresses. */
export interface TunnelKeys {
  /** The name under which it was published. */
  readonly tunnel: string
  /** The service key, where there is one. */
  readonly service?: Identity
  /** What networks keep themselves, by the name of the backend. */
  readonly backends: ReadonlyMap<string, Uint8Array>
  /** Secret settings of the configuration. */
  readonly secrets: ReadonlyArray<{ readonly path: readonly string[]; readonly value: unknown }>
}

/** Form of the text; another number is another form. */
const VERSION = 1

/** The keys as text. Private: it is encrypted before it goes anywhere. */
export function serializeKeys({ tunnel, service, backends, secrets }: TunnelKeys): string {
  return JSON.stringify({
    version: VERSION,
    tunnel,
    ...(service && { service: { public: encodeKey('service', service.publicKey), seed: seedOf(service).toString('base64') } }),
    backends: Object.fromEntries([...backends].map(([name, material]) => [name, Buffer.from(material).toString('base64')])),
    secrets,
  })
}

/**
 * Reads keys that were written as text.
 * @throws ConfigError (`BEAM_ERR_EXPORT_INVALID`), without a word of the content
 */
export function parseKeys(text: string): TunnelKeys {
  const keys = read(text)
  if (keys !== undefined) return keys
  throw new ConfigError('The encrypted keys of the file have a form that this version of Beam does not know.', {
    code: 'BEAM_ERR_EXPORT_INVALID',
    hint: 'Export again, with the version of Beam that imports.',
  })
}

function read(text: string): TunnelKeys | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isMap(value) || value['version'] !== VERSION || typeof value['tunnel'] !== 'string') return undefined
  const { service, backends, secrets } = value
  const identity = service === undefined ? undefined : identityOf(service)
  if ((service !== undefined && identity === undefined) || !isMap(backends) || !Array.isArray(secrets) || !secrets.every(isSecret))
    return undefined
  const materials = Object.entries(backends).map(([name, material]) => [name, bytesOf(material)] as const)
  if (materials.some(([, material]) => material === undefined)) return undefined
  return {
    tunnel: value['tunnel'],
    ...(identity && { service: identity }),
    backends: new Map(materials as ReadonlyArray<readonly [string, Uint8Array]>),
    secrets,
  }
}

/** The public key beside the seed shows damage that would otherwise give another address. */
function identityOf(value: unknown): Identity | undefined {
  const seed = isMap(value) ? bytesOf(value['seed']) : undefined
  if (!isMap(value) || seed?.length !== KEY_BYTES) return undefined
  const identity = identityFromSeed(seed)
  return encodeKey('service', identity.publicKey) === value['public'] ? identity : undefined
}

function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value !== 'string' || value.length > MAX_KEY_MATERIAL_BYTES * 2) return undefined
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? bytes : undefined
}

function isSecret(value: unknown): value is TunnelKeys['secrets'][number] {
  if (!isMap(value) || !('value' in value)) return false
  const { path } = value
  return Array.isArray(path) && path.every((step) => typeof step === 'string' && step !== '__proto__')
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
