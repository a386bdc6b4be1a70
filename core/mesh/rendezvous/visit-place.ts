/** How a meeting place behind a network is asked: over a stream that somebody else has dialled, and under a key that is made for the visit. */
import type { Duplex } from 'node:stream'
import { BeamError, isBeamError, TimeoutError, type BeamErrorOptions } from '../../errors.ts'
import { generateIdentity } from '../../identity/identity.ts'
import { dialLink } from '../../link/dial-link.ts'
import type { Logger } from '../../logger.ts'
import { within } from '../../tunnels/within.ts'
import type { MeetingPlace } from './meeting-place.ts'

/**
 * A whole visit: circuits or tunnels that are only being built take up to a minute on the networks that hide, and joining a network that is
 * not joined yet the other one. Within it, the link's own limits of ten seconds for each step hold.
 */
const VISIT_LIMIT_MS = 120_000

/** Opens a stream to a meeting place through its network, and never by another way. */
export type DialPlace<Place extends MeetingPlace> = (place: Place, options: { readonly signal: AbortSignal }) => Promise<Duplex>

/** Asks one thing within a visit. */
export type AskPlace = (topic: string, body: Uint8Array) => Promise<Buffer>

/** Makes one visit: everything that `work` asks goes over one link. */
export type VisitPlace<Place extends MeetingPlace> = <T>(
  place: Place,
  work: (ask: AskPlace) => Promise<T>,
  options: { readonly signal: AbortSignal },
) => Promise<T>

/**
 * Visits by way of `dial`. The far end has to hold the key of the place's address; ours is thrown away after the visit.
 * @throws BeamError of the kind that fits, with the place in its message; the signal's reason
 */
export function visitsBy<Place extends MeetingPlace>(
  dial: DialPlace<Place>,
  { logger, limitMs = VISIT_LIMIT_MS }: { readonly logger: Logger; readonly limitMs?: number },
): VisitPlace<Place> {
  return async (place, work, { signal }) => {
    signal.throwIfAborted()
    let linked = false
    const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
    try {
      const to = await within(dial(place, { signal: limited }), {
        ms: limitMs,
        what: 'Dialling it',
        signal: limited,
        onLate: (stream) => stream.on('error', () => {}).destroy(),
      })
      const { link } = await dialLink({ to, expectedKey: place.key, identity: generateIdentity(), logger, signal: limited })
      linked = true
      try {
        return await work((topic, body) => link.ask(topic, body, limited))
      } finally {
        link.close({ reason: 'everything was asked' })
      }
    } catch (error) {
      signal.throwIfAborted()
      const failure = limited.aborted ? new TimeoutError(`There was no answer within ${limitMs / 1000} s.`) : error
      throw explained(failure, place, linked)
    }
  }
}

/** What is wrong at a place, in words for who named it. Faults of this side say by themselves what to do. */
function explained(error: unknown, { address }: MeetingPlace, linked: boolean): unknown {
  if (!isBeamError(error) || error.kind === 'unavailable' || error.kind === 'config') return error
  const said = (what: string, options: BeamErrorOptions = {}): BeamError => {
    const { kind, code, retry, hint } = error
    return new BeamError(kind, `The meeting place ${address} ${what}`, { code, retry, hint, ...options, cause: error })
  }
  switch (error.code) {
    case 'BEAM_ERR_KEY_MISMATCH':
      return said('is not the one that was named: whoever answers there holds another key.', {
        hint: 'Copy the whole address again, as “beam node” printed it. If it is right, somebody else answers in its place.',
      })
    case linked ? 'BEAM_ERR_NOT_FOUND' : undefined:
      return said('is none now: nothing serves registrations there.', {
        hint: 'It is started with: beam node --rendezvous --tor (or --i2p)',
      })
    case 'BEAM_ERR_TIMEOUT':
      return said(`does not answer. ${error.message}`, { hint: 'It may be off, or its network slow at present: try again in a minute.' })
    case 'BEAM_ERR_PEER_UNREACHABLE':
    case 'BEAM_ERR_NOT_FOUND':
      return said(`cannot be reached. ${error.message}`, {
        hint: 'Is it running? After its start it may take a minute until its network leads there. Another one can be named beside it.',
      })
    default:
      return said(`does not do it. ${error.message}`)
  }
}
