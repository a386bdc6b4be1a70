import { UnreachableError } from '../../core/errors.ts'
import { nearest } from '../../config/nearest.ts'
import type { Found, FoundProcess } from './find-processes.ts'
import type { TunnelRecord } from './protocol.ts'

/** A tunnel with the process that carries it. */
export interface Selected {
  readonly carrier: FoundProcess
  readonly tunnel: TunnelRecord
}

/** All tunnels. */
export function allTunnels({ processes }: Found): Selected[] {
  return processes.flatMap((carrier) => carrier.tunnels.map((tunnel) => ({ carrier, tunnel })))
}

/**
 * The tunnels with an id or a name.
 * @throws UnreachableError (`BEAM_ERR_TUNNEL_UNKNOWN`) when there is none
 */
export function selectTunnels(found: Found, word: string): Selected[] {
  const all = allTunnels(found)
  const selected = all.filter(({ tunnel }) => tunnel.id === word || tunnel.name === word)
  if (selected.length > 0) return selected
  const wanted = nearest(
    word,
    all.flatMap(({ tunnel: { id, name } }) => [id, ...(name === undefined ? [] : [name])]),
  )
  throw new UnreachableError(`No running tunnel has the id or name “${word}”.`, {
    code: 'BEAM_ERR_TUNNEL_UNKNOWN',
    retry: 'never',
    hint: wanted === undefined ? 'See beam list for those that run.' : `Did you mean ${wanted}?`,
  })
}
