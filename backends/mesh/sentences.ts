import { UnreachableError, type BeamAddress } from '../../core/index.ts'
import type { DiscoveryOptions } from './discovery/index.ts'

/** What is said to people about how the mesh is used, in one place. */

/** What somebody who holds the address can learn of the publisher. */
export function publishReveals({ bootstrap, mdns }: DiscoveryOptions): readonly string[] {
  return [
    'Visitors see your IP address.',
    ...(bootstrap === 'none'
      ? []
      : [`${dhtOf(bootstrap)} shows your IP address and the service key to whoever looks the key up, and its nodes see the key.`]),
    ...(mdns === 'on' ? ['Your local network sees that this machine publishes with Beam.'] : []),
  ]
}

/** What dialling reveals of the visitor. */
export function dialReveals({ direct }: BeamAddress, { bootstrap, mdns }: DiscoveryOptions): readonly string[] {
  return [
    'The publisher sees your IP address; your key is made for this connection unless you show your own.',
    ...(direct !== undefined || bootstrap === 'none'
      ? []
      : [`${dhtOf(bootstrap)}: its nodes see your IP address and which service you look for.`]),
    ...(direct !== undefined || mdns !== 'on' ? [] : ['Your local network sees which service you look for.']),
  ]
}

/** Which DHT it is: the public one is taken when nothing is configured, and people are to know that. */
function dhtOf(bootstrap: DiscoveryOptions['bootstrap']): string {
  return bootstrap === 'public' ? 'The public DHT (no other is configured)' : 'The DHT of the configured bootstrap nodes'
}

/** Nobody answered for a key: what can be done depends on where was looked. */
export function notFound(
  { bootstrap, mdns, nodes = false }: Pick<DiscoveryOptions, 'bootstrap' | 'mdns'> & { readonly nodes?: boolean },
  { untimely = false, unrelayed = false } = {},
): UnreachableError {
  if (unrelayed) {
    return new UnreachableError('This service was found, but no relay answers for it now, and a way through relays was asked for.', {
      code: 'BEAM_ERR_NOT_FOUND',
      retry: 'later',
      hint: 'Try again in some seconds, when the publisher has had time to find a relay, or leave --hops out: the publisher then sees your IP address.',
    })
  }
  if (untimely) {
    return new UnreachableError('A record of this address was found, and by this machine’s clock it is not in its time.', {
      code: 'BEAM_ERR_NOT_FOUND',
      retry: 'later',
      hint: 'The publisher ended without a word, or the clock of one of the two machines is wrong: records last an hour, and five minutes of difference are allowed for.',
    })
  }
  const asked = [
    'this machine',
    ...(mdns === 'off' ? [] : ['the local network']),
    ...(bootstrap === 'none' ? [] : ['the DHT']),
    ...(nodes ? ['the nodes that are configured'] : []),
  ]
  const off = [...(mdns === 'off' ? ['the local network (mDNS)'] : []), ...(bootstrap === 'none' ? ['the DHT'] : [])]
  return new UnreachableError(`Nobody publishes this address: asked ${asked.join(', ')}.`, {
    code: 'BEAM_ERR_NOT_FOUND',
    hint:
      off.length === 0
        ? 'Check that the publisher is running; a new tunnel takes some seconds to be known. beam://…@host:port dials a place directly.'
        : `Not asked, since it is switched off: ${off.join(' and ')}. beam://…@host:port dials a place directly.`,
  })
}

/** A way through relays, where they are not to be used. @throws UnreachableError */
export function refuseRelays(): never {
  throw new UnreachableError(
    'This service is reached through relays, and the settings say that none is to be used (p2p.routing: disabled).',
    {
      code: 'BEAM_ERR_NOT_FOUND',
      retry: 'never',
      hint: 'To use them: beam config set p2p.routing enabled',
    },
  )
}
