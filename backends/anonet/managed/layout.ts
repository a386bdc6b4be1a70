/** What a circle of friends means for WireGuard and BIRD. Pure. */
import { createHash } from 'node:crypto'
import { KEEPALIVE_SECONDS } from '../constants.ts'
import type { Prefix } from '../mesh-address.ts'
import { birdConfig, type BirdFriend, type Timing } from './bird-config.ts'
import type { Friend } from './friend.ts'
import { linkAddresses, type Plan } from './plan.ts'
import type { InsideLink } from './protocol.ts'

/** The name of a friend's interface: at most 15 characters, and different at both ends, which may be on one machine. */
export function interfaceOf({ link, invited }: Friend): string {
  return `bf${createHash('sha256').update(`${link} ${invited}`).digest('hex').slice(0, 10)}`
}

/** The name of a friend's session in BIRD. */
export function protocolOf({ id }: Friend): string {
  return `friend_${id}`
}

/** The friend's address on the link. */
export function friendAddress({ slot, invited }: Friend): string {
  const addresses = linkAddresses(slot)
  return invited ? addresses.invited : addresses.inviter
}

function ownAddress({ slot, invited }: Friend): string {
  const addresses = linkAddresses(slot)
  return invited ? addresses.inviter : addresses.invited
}

/** A friend's link as the inside sets it up. */
export function insideLink(friend: Friend): InsideLink {
  const hex = (text: string): string => Buffer.from(text, 'base64url').toString('hex')
  return {
    interface: interfaceOf(friend),
    ownAddress: ownAddress(friend),
    wireguard: {
      privateKey: hex(friend.privateKey),
      listenPort: friend.listenPort,
      peer: hex(friend.wireguardKey),
      keepaliveSeconds: KEEPALIVE_SECONDS,
    },
    endpoints: friend.endpoints,
  }
}

/** BIRD's configuration for a circle. */
export function birdOf(
  friends: readonly Friend[],
  setup: { readonly plan: Plan; readonly range: Prefix; readonly timing: Timing },
): string {
  return birdConfig({
    ...setup.plan,
    range: setup.range,
    timing: setup.timing,
    friends: friends.map((friend): BirdFriend => ({
      protocol: protocolOf(friend),
      interface: interfaceOf(friend),
      ownAddress: ownAddress(friend),
      address: friendAddress(friend),
      asn: friend.asn,
      prefix: friend.prefix,
      transit: friend.transit,
    })),
  })
}
