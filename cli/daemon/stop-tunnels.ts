import { isBeamError } from '../../core/errors.ts'
import { isAbsent } from './control-client.ts'
import type { Selected } from './select-tunnels.ts'

/**
 * Ends tunnels, side by side. Returns those that were ended; one that was gone in the meantime is no failure.
 * @throws the first error of a process that would not do it, after all were asked
 */
export async function stopTunnels(selected: readonly Selected[], reason: string): Promise<Selected[]> {
  const unique = [...new Map(selected.map((one) => [`${one.carrier.process.pid} ${one.tunnel.id}`, one])).values()]
  const results = await Promise.allSettled(unique.map(({ carrier, tunnel }) => carrier.client.stop(tunnel.id, reason)))
  for (const result of results) {
    if (result.status === 'rejected' && !isGone(result.reason)) throw result.reason
  }
  return unique.filter((_, index) => results[index]?.status === 'fulfilled')
}

function isGone(error: unknown): boolean {
  return isAbsent(error) || (isBeamError(error) && error.code === 'BEAM_ERR_TUNNEL_UNKNOWN')
}
