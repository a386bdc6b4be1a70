import type { Socket } from 'node:net'
import {
  BackendUnavailableError,
  ConfigError,
  sleep,
  TimeoutError,
  UnreachableError,
  UnsupportedError,
  type Clock,
  type DialOptions,
} from '../../core/index.ts'
import { ROUTE_RETRY_MS, ROUTE_WAIT_MS } from './constants.ts'
import { parsePlace, type MeshPlace, type Prefix } from './mesh-address.ts'
import type { Mesh, MeshHealth } from './mesh.ts'

/** What a visit needs of the backend. */
export interface DialParts {
  readonly range: Prefix
  readonly mesh: Mesh
  readonly clock: Clock
  readonly health: () => MeshHealth
}

/**
 * A connection to a service in the mesh. Waits a while for a route: they are on their way for some seconds after the start, and for less
 * than one after a link has died.
 * @throws UnreachableError, BackendUnavailableError (no way into the mesh), TimeoutError, ConfigError
 */
export async function dialMesh(
  address: string,
  { signal, network, secret }: DialOptions,
  { range, mesh, clock, health }: DialParts,
): Promise<Socket> {
  signal?.throwIfAborted()
  const place = parsePlace(address, range)
  if (place === undefined)
    throw new UnreachableError('This is no address of the mesh.', { code: 'BEAM_ERR_ADDRESS_INVALID', retry: 'never' })
  const [unknown] = Object.keys(network ?? {})
  if (unknown !== undefined) throw new ConfigError(`anonet has no option ${JSON.stringify(unknown.slice(0, 64))} for visits.`)
  if (secret !== undefined) throw new UnsupportedError('anonet knows no secret words.')
  const deadline = clock.monotonic() + ROUTE_WAIT_MS
  for (;;) {
    try {
      return await mesh.connect(place.host, place.port, signal)
    } catch (error) {
      signal?.throwIfAborted()
      const { code } = error as NodeJS.ErrnoException
      const noRoute = code === 'ENETUNREACH' || code === 'EHOSTUNREACH'
      if (!noRoute || clock.monotonic() > deadline) throw dialError(place, error as NodeJS.ErrnoException, health())
    }
    await sleep(ROUTE_RETRY_MS, { signal, clock })
  }
}

function dialError({ host, port }: MeshPlace, error: NodeJS.ErrnoException, { reachable, reason }: MeshHealth): Error {
  switch (error.code) {
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      if (!reachable)
        return new BackendUnavailableError(`There is no way into the mesh: ${reason}.`, { cause: error, hint: 'See: beam anonet status' })
      return new UnreachableError(`Nobody in the mesh announces ${host}.`, { code: 'BEAM_ERR_NOT_FOUND', cause: error })
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return new UnreachableError(`Nothing listens on port ${port} of ${host}.`, { code: 'BEAM_ERR_NOT_FOUND', cause: error })
    case 'ETIMEDOUT':
      return new TimeoutError(`${host} did not answer.`, { cause: error })
    default:
      return error instanceof BackendUnavailableError
        ? error
        : new UnreachableError(`${host}:${port} cannot be reached: ${error.message}.`, { cause: error })
  }
}
