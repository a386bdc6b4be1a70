import type { Duplex } from 'node:stream'
import { encodeKey } from '../../identity/address.ts'
import { generateIdentity } from '../../identity/identity.ts'
import { dialLink, dialSide } from '../../link/dial-link.ts'
import type { Link } from '../../link/link.ts'
import type { Logger } from '../../logger.ts'
import { decodeToken, encodeSplice, SPLICE_TOPIC } from './meeting.ts'

/** A relay on the way: where it is dialled (the first one only) and its node key. */
export interface RelayHop {
  readonly key: Uint8Array
  readonly contact?: { readonly host: string; readonly port: number }
}

/** The most relays on one way: with two, none of them knows both ends; a third guards against two that work together. */
export const MAX_HOPS = 3

/** How long a side connection through all relays may take: the stream goes on inside the link meanwhile. */
const SIDE_TIMEOUT_MS = 8_000

/** A way through relays. */
export interface RelayedWay {
  /** For the far end's link, which is built inside. */
  readonly carrier: Duplex
  /**
   * Another byte stream the same way, for one heavy stream of that link: connections of its own, whose bytes the relays copy as they come.
   * @throws UnreachableError, TimeoutError when a relay or the far end does not go along
   */
  readonly side: (signal: AbortSignal) => Promise<Duplex>
}

/**
 * A byte stream to a service (or node) through one relay or several, each of which is met under a throw-away key and learns only who comes
 * before and after it. What is said on it is for the far end's link, which is built inside.
 * @throws UnreachableError (also `BEAM_ERR_RATE_LIMITED`, `BEAM_ERR_NOT_FOUND` of a relay), TimeoutError; the signal's reason
 */
export async function dialThroughRelays(
  hops: readonly RelayHop[],
  target: { readonly service: Uint8Array } | { readonly node: Uint8Array },
  options: { readonly logger: Logger; readonly signal?: AbortSignal },
): Promise<RelayedWay> {
  const [first] = hops
  if (first?.contact === undefined || hops.length > MAX_HOPS) throw new RangeError(`one to ${MAX_HOPS} relays, the first with its address`)
  const { contact, key } = first
  const identity = generateIdentity()
  const asked: Array<{ readonly link: Link; readonly authority: string }> = []
  let to: Duplex | { readonly host: string; readonly port: number } = contact
  for (const [index, hop] of hops.entries()) {
    const { link } = await dialLink({ to, expectedKey: hop.key, identity: index === 0 ? identity : generateIdentity(), ...options })
    const next = hops[index + 1]
    const authority =
      next !== undefined
        ? encodeKey('node', next.key)
        : 'service' in target
          ? encodeKey('service', target.service)
          : encodeKey('node', target.node)
    asked.push({ link, authority })
    const stream = link.openStream(authority)
    // Nothing else is ever asked of this link: it ends with the stream.
    stream.once('close', () => link.close({ reason: 'what it was made for has ended' }))
    to = stream
  }
  const side = async (signal: AbortSignal): Promise<Duplex> => {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(SIDE_TIMEOUT_MS)])
    const tokens = asked.map(async (hop) => decodeToken(await hop.link.ask(SPLICE_TOPIC, encodeSplice(hop.authority), stop)))
    const connection = dialSide({ to: contact, expectedKey: key, identity, logger: options.logger, signal: stop })
    try {
      // Each relay takes the token that stands first and passes on what follows.
      const all = Buffer.concat(await Promise.all(tokens))
      const side = await connection
      side.write(all)
      return side
    } catch (error) {
      void connection.then((side) => side.destroy()).catch(() => {})
      throw error
    }
  }
  return { carrier: to as Duplex, side }
}
