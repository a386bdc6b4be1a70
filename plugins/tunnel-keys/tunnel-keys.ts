import { ConfigError, isBeamError, isKeyKeeper, lockName, openKeyStore, type KeyKeeper } from '../../core/index.ts'
import { assemble, type BeamOptions, type Parts } from '../assemble.ts'
import type { TunnelKeys } from './bundle.ts'

/** Which keys are meant. */
export interface KeysOf {
  /** Name of the tunnel. */
  readonly tunnel: string
  /** Its networks. */
  readonly networks: readonly string[]
  /** Where configuration and keys are. */
  readonly beam?: BeamOptions
}

/**
 * The keys that a named tunnel has on this machine: the service key, and what its networks keep themselves. Starts no network.
 * @throws ConfigError (`BEAM_ERR_KEY_STORAGE`) when there are none, or one cannot be read
 */
export async function collectKeys({ tunnel, networks, beam = {} }: KeysOf): Promise<Omit<TunnelKeys, 'secrets'>> {
  const parts = await assemble(beam)
  const service = await openKeyStore(parts.paths).storedServiceKey(tunnel)
  const backends = new Map<string, Uint8Array>()
  await withKeepers(parts, networks, async (network, keeper) => {
    const material = await keeper.exportKeys(tunnel)
    if (material !== undefined) backends.set(network, material)
  })
  if (service === undefined && backends.size === 0) {
    throw new ConfigError(`The tunnel ${tunnel} has no keys on this machine yet.`, {
      code: 'BEAM_ERR_KEY_STORAGE',
      hint: 'They are made when it is published first. Without --with-keys its settings are exported alone.',
    })
  }
  return { tunnel, ...(service === undefined ? {} : { service }), backends }
}

/** What was restored. */
export interface RestoredKeys {
  /** Whether there was a service key. */
  readonly service: boolean
  /** The networks whose keys were restored. */
  readonly networks: readonly string[]
}

/**
 * Restores keys under the name of a tunnel, readable by this user only. Either all can be restored or nothing is; what is there already
 * stays, unless `replace`.
 * @throws ConfigError (`BEAM_ERR_KEY_EXISTS`, `BEAM_ERR_KEY_STORAGE`) · BackendUnavailableError (`BEAM_ERR_NAME_IN_USE`) while it is published
 */
export async function restoreKeys(
  { service, backends }: TunnelKeys,
  { tunnel, networks, beam = {}, replace = false }: KeysOf & { readonly replace?: boolean },
): Promise<RestoredKeys> {
  const parts = await assemble(beam)
  await using _lock = await lockName(parts.paths, tunnel)
  const store = openKeyStore(parts.paths)
  const wanted = networks.filter((network) => backends.has(network))
  if (!replace) {
    const stored = await store.storedServiceKey(tunnel)
    if (service !== undefined && stored !== undefined && differ(stored.publicKey, service.publicKey)) throw keysExist(tunnel, 'service key')
  }
  const restored: string[] = []
  await withKeepers(parts, wanted, async (network, keeper) => {
    const [here, there] = [await keeper.exportKeys(tunnel), backends.get(network)]
    if (!replace && here !== undefined && there !== undefined && differ(here, there)) throw keysExist(tunnel, `keys for ${network}`)
    restored.push(network)
  })
  if (service !== undefined) await store.importServiceKey(tunnel, service, { replace })
  await withKeepers(parts, restored, async (network, keeper) => {
    const material = backends.get(network)
    if (material !== undefined) await keeper.importKeys(tunnel, material, { replace })
  })
  return { service: service !== undefined, networks: restored }
}

/** Visits the backends that keep keys. Those that are not installed here, and programs of others, which would have to be started, have none. */
async function withKeepers(
  { backends, config }: Parts,
  networks: readonly string[],
  visit: (network: string, keeper: KeyKeeper) => Promise<void>,
): Promise<void> {
  for (const network of networks) {
    if (config.config.backends.some(({ name, command }) => name === network && command !== undefined)) continue
    await using backend = await backends.make(network).catch((error: unknown) => {
      if (isBeamError(error) && error.code === 'BEAM_ERR_BACKEND_NOT_INSTALLED') return undefined
      throw error
    })
    if (backend !== undefined && isKeyKeeper(backend)) await visit(network, backend)
  }
}

function differ(a: Uint8Array, b: Uint8Array): boolean {
  return !Buffer.from(a).equals(b)
}

function keysExist(tunnel: string, what: string): ConfigError {
  return new ConfigError(`The tunnel ${tunnel} has other ${what} on this machine.`, {
    code: 'BEAM_ERR_KEY_EXISTS',
    hint: 'Import under another name (--as NAME), or replace them (--replace-keys): the address that they give is lost then.',
  })
}
