import { connect as connectHttp2, performServerHandshake } from 'node:http2'
import type { Duplex } from 'node:stream'
import { REVERSE_AUTHORITY } from './constants.ts'
import { destroyLate } from './late-destroy.ts'
import { Link, type LinkParts } from './link.ts'
import type { LinkStream } from './link-stream.ts'
import { sessionOptions } from './session-options.ts'

/** What the turned-round link needs besides its carrier: the same as any link, which it stands for. */
export type ReverseParts = Pick<LinkParts, 'logger' | 'peerKey'> & Pick<LinkParts, 'judge' | 'onStream' | 'serve'>

/**
 * The dialler's half of turning a link round: HTTP/2 opens streams from its client side only, so a dialler that wants to be asked (a
 * publisher behind a relay, a peer that takes gossip) opens one stream and is the server in it.
 */
export function offerReverse(link: Link, parts: ReverseParts): Link {
  const carrier = link.openStream(REVERSE_AUTHORITY)
  const session = destroyLate(performServerHandshake(carrier, sessionOptions))
  return track(new Link({ ...parts, session, connection: countBytes(carrier) }, 'acceptor'), carrier)
}

/** Whether a stream is such an offer. */
export function isReverseOffer(stream: Pick<LinkStream, 'authority'>): boolean {
  return stream.authority === REVERSE_AUTHORITY
}

/** The acceptor's half: a link on which it can open streams. The far end's key is the one that the outer link proved. */
export function takeReverse(carrier: LinkStream, parts: ReverseParts): Promise<Link> {
  return new Promise((resolve, reject) => {
    const session = destroyLate(connectHttp2('https://beam', { createConnection: () => carrier, ...sessionOptions }))
    session.once('error', reject)
    session.once('connect', () => {
      session.off('error', reject)
      resolve(track(new Link({ ...parts, session, connection: countBytes(carrier) }, 'dialler'), carrier))
    })
  })
}

function countBytes(carrier: LinkStream): LinkParts['connection'] {
  return {
    get bytesRead() {
      return carrier.bytes.received
    },
  }
}

function track(link: Link, carrier: Duplex): Link {
  carrier.on('error', () => {})
  carrier.once('close', () => link.close({ reason: 'the link that carried it ended' }))
  return link
}
