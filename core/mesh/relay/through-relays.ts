import type { Duplex } from 'node:stream'
import { encodeKey } from '../../identity/address.ts'
import { generateIdentity } from '../../identity/identity.ts'
import { dialLink } from '../../link/dial-link.ts'
import type { Logger } from '../../logger.ts'

/** A relay on the way: where it is dialled (the first one only) and its node key. */
export interface RelayHop {
  readonly key: Uint8Array
  readonly contact?: { readonly host: string; readonly port: number }
}

/** The most relays on one way: with two, none of them knows both ends; a third guards against two that work together. */
export const MAX_HOPS = 3

/**
 * A byte stream to a service (or node) through one relay or several, each of which is met under a throw-away key and learns only who comes
 * before and after it. What is said on it is for the far end's link, which is built inside.
 * @throws UnreachableError (also `BEAM_ERR_RATE_LIMITED`, `BEAM_ERR_NOT_FOUND` of a relay), TimeoutError; the signal's reason
 */
export async function dialThroughRelays(
  hops: readonly RelayHop[],
  target: { readonly service: Uint8Array } | { readonly node: Uint8Array },
  options: { readonly logger: Logger; readonly signal?: AbortSignal },
): Promise<Duplex> {
  const [first] = hops
  if (first?.contact === undefined || hops.length > MAX_HOPS) throw new RangeError(`one to ${MAX_HOPS} relays, the first with its address`)
  let to: Duplex | { readonly host: string; readonly port: number } = first.contact
  for (const [index, hop] of hops.entries()) {
    const { link } = await dialLink({ to, expectedKey: hop.key, identity: generateIdentity(), ...options })
    const next = hops[index + 1]
    const authority =
      next !== undefined
        ? encodeKey('node', next.key)
        : 'service' in target
          ? encodeKey('service', target.service)
          : encodeKey('node', target.node)
    const stream = link.openStream(authority)
    // Nothing else is ever asked of this link: it ends with the stream.
    stream.once('close', () => link.close({ reason: 'what it was made for has ended' }))
    to = stream
  }
  return to as Duplex
}
