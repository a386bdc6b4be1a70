/** Inviting, accepting and revoking, without I/O: what becomes of a circle. */
import { randomBytes } from 'node:crypto'
import { ConfigError, identityFromSeed, type Identity } from '../../../core/index.ts'
import { INVITE_SECONDS, LINK_SLOTS, MAX_FRIENDS } from '../constants.ts'
import { mayBeAnnounced, overlap, prefixText, type Prefix } from '../mesh-address.ts'
import type { Endpoint } from './endpoint.ts'
import { findFriend, friendId, type Circle, type Friend, type OpenInvite } from './friend.ts'
import { encodeLetter, LINK_BYTES, type Letter } from './invite.ts'
import { linkKeysOf, newLinkKeys } from './keys.ts'
import type { Plan } from './plan.ts'

/** What is known of this node besides its circle. */
export interface OwnSide {
  readonly plan: Plan
  readonly range: Prefix
  /** First UDP port; each link has one of its own. */
  readonly firstPort: number
  /** Ports that other programs have. */
  readonly busyPorts: ReadonlySet<number>
  /** Hosts at which friends may reach this one. */
  readonly hosts: readonly string[]
  readonly name?: string | undefined
  readonly nowMs: number
}

/** A circle's own key. */
export function circleIdentity({ seed }: Circle): Identity {
  return identityFromSeed(Buffer.from(seed, 'base64url'))
}

/** A circle with one more invitation, and the text for the friend. */
export function invite(
  circle: Circle,
  own: OwnSide,
  options: { readonly for?: string } = {},
): { readonly circle: Circle; readonly invite: OpenInvite; readonly text: string } {
  const fresh = current(circle, own.nowMs)
  if (fresh.friends.length + fresh.invites.length >= MAX_FRIENDS) throw full()
  const expiresAt = Math.floor(own.nowMs / 1_000) + INVITE_SECONDS
  const keys = newLinkKeys()
  const end: OpenInvite = {
    link: randomBytes(LINK_BYTES).toString('hex'),
    privateKey: keys.privateKey.toString('base64url'),
    listenPort: freePort(fresh, own),
    slot: freeSlot(fresh),
    expiresAt,
    ...(options.for !== undefined && { for: options.for }),
  }
  const letter: Letter = {
    kind: 'invite',
    link: Buffer.from(end.link, 'hex'),
    expiresAt,
    wireguardKey: keys.publicKey,
    slot: end.slot,
    ...ownWords(circle, own, end.listenPort),
  }
  return { circle: { ...fresh, invites: [...fresh.invites, end] }, invite: end, text: encodeLetter(letter, circleIdentity(circle)) }
}

/**
 * A circle with a new friend: one who invited (then there is an answer for him) or one who answered.
 * @throws ConfigError (`BEAM_ERR_INVITE`) when the letter does not fit
 */
export function accept(
  circle: Circle,
  own: OwnSide,
  letter: Letter,
  options: { readonly name?: string; readonly transit: boolean },
): { readonly circle: Circle; readonly friend: Friend; readonly answer?: string } {
  const fresh = current(circle, own.nowMs)
  const identity = circleIdentity(circle)
  if (identity.publicKey.every((byte, at) => byte === letter.from[at]))
    throw misfit('This is your own invitation.', 'Send it to your friend, who runs: beam anonet accept …')
  const link = Buffer.from(letter.link).toString('hex')
  // Accepted before, and the answer got lost: here it is again.
  const known = letter.kind === 'invite' ? fresh.friends.find((each) => each.link === link && each.id === friendId(letter.from)) : undefined
  if (known !== undefined) return { circle: fresh, friend: known, answer: answerOf(circle, own, known) }
  refuseClashes(fresh, own, letter)
  const named = options.name ?? letter.name
  if (named !== undefined && fresh.friends.some(({ name }) => name === named))
    throw misfit(`You have a friend called ${named} already.`, 'Choose another name: --as NAME')
  const his = {
    id: friendId(letter.from),
    ...(named !== undefined && { name: named }),
    key: Buffer.from(letter.from).toString('base64url'),
    wireguardKey: Buffer.from(letter.wireguardKey).toString('base64url'),
    endpoints: letter.endpoints,
    asn: letter.asn,
    prefix: letter.prefix,
    transit: options.transit,
    since: own.nowMs,
  }
  if (letter.kind === 'answer') {
    const open = fresh.invites.find((each) => each.link === link)
    const mine = Buffer.from(identity.publicKey).equals(Buffer.from(letter.to ?? []))
    if (!mine || open === undefined || open.slot !== letter.slot) {
      throw misfit(
        'This answers no open invitation of yours.',
        'It was accepted already, revoked, expired, or meant for somebody else. See: beam anonet friends',
      )
    }
    const friend: Friend = { ...his, link, privateKey: open.privateKey, listenPort: open.listenPort, slot: open.slot, invited: true }
    return { circle: { ...fresh, invites: fresh.invites.filter((each) => each !== open), friends: [...fresh.friends, friend] }, friend }
  }
  if (fresh.friends.length + fresh.invites.length >= MAX_FRIENDS) throw full()
  if (slots(fresh).has(letter.slot))
    throw misfit(
      'The addresses of this link are taken by another one of yours.',
      'Ask your friend for a new invitation: it will have others.',
    )
  const keys = newLinkKeys()
  const listenPort = freePort(fresh, own)
  const friend: Friend = { ...his, link, privateKey: keys.privateKey.toString('base64url'), listenPort, slot: letter.slot, invited: false }
  return { circle: { ...fresh, friends: [...fresh.friends, friend] }, friend, answer: answerOf(circle, own, friend) }
}

/** The answer to the invitation that made a friend. */
function answerOf(circle: Circle, own: OwnSide, friend: Friend): string {
  const letter: Letter = {
    kind: 'answer',
    to: Buffer.from(friend.key, 'base64url'),
    link: Buffer.from(friend.link, 'hex'),
    expiresAt: Math.floor(own.nowMs / 1_000) + INVITE_SECONDS,
    wireguardKey: linkKeysOf(Buffer.from(friend.privateKey, 'base64url')).publicKey,
    slot: friend.slot,
    ...ownWords(circle, own, friend.listenPort),
  }
  return encodeLetter(letter, circleIdentity(circle))
}

/** A circle without a friend, or without the open invitation whose link begins with the word. @throws ConfigError when nobody is meant */
export function revoke(circle: Circle, word: string): { readonly circle: Circle; readonly revoked: Friend | OpenInvite } {
  const friend = findFriend(circle.friends, word)
  if (friend !== undefined) return { circle: { ...circle, friends: circle.friends.filter((each) => each !== friend) }, revoked: friend }
  const invites = circle.invites.filter((each) => each.for === word || (word.length >= 4 && each.link.startsWith(word)))
  const [open] = invites
  if (open === undefined || invites.length > 1)
    throw misfit(
      `${JSON.stringify(word.slice(0, 64))} is no friend and no invitation of yours.`,
      'Their names and ids: beam anonet friends',
    )
  return { circle: { ...circle, invites: circle.invites.filter((each) => each !== open) }, revoked: open }
}

/** Without the invitations that expired: their private keys are good for nothing more. */
function current(circle: Circle, nowMs: number): Circle {
  return { ...circle, invites: circle.invites.filter(({ expiresAt }) => expiresAt * 1_000 > nowMs) }
}

function ownWords(
  circle: Circle,
  { plan, hosts, name }: OwnSide,
  port: number,
): Pick<Letter, 'from' | 'endpoints' | 'asn' | 'prefix' | 'name'> {
  const endpoints: Endpoint[] = hosts.map((host) => ({ host, port }))
  return { from: circleIdentity(circle).publicKey, endpoints, ...plan, ...(name !== undefined && { name }) }
}

function refuseClashes({ friends }: Circle, { plan, range }: OwnSide, { from, prefix, asn }: Letter): void {
  const id = friendId(from)
  if (friends.some(({ key }) => key === Buffer.from(from).toString('base64url'))) {
    throw misfit('You are friends already.', `To begin anew: beam anonet revoke ${id}, then accept.`)
  }
  if (!mayBeAnnounced(prefix, range))
    throw misfit(
      `Your friend's prefix ${prefixText(prefix)} is outside of the mesh's range ${prefixText(range)}.`,
      'All friends need the same `range`.',
    )
  if (overlap(prefix, plan.prefix))
    throw misfit(
      `You and your friend have the same prefix (${prefixText(prefix)}).`,
      'One of you sets another `prefix` in the configuration of anonet.',
    )
  if (asn === plan.asn)
    throw misfit(`You and your friend have the same AS number (${asn}).`, 'One of you sets another `asn` in the configuration of anonet.')
  const other = friends.find((friend) => overlap(friend.prefix, prefix) || friend.asn === asn)
  if (other !== undefined) {
    throw misfit(
      `Prefix or AS number of this friend are those of ${other.name ?? other.id}.`,
      'One of the two sets others in the configuration of anonet.',
    )
  }
}

function slots({ friends, invites }: Circle): Set<number> {
  return new Set([...friends, ...invites].map(({ slot }) => slot))
}

function freeSlot(circle: Circle): number {
  const taken = slots(circle)
  for (;;) {
    const slot = randomBytes(2).readUInt16BE() % LINK_SLOTS
    if (!taken.has(slot)) return slot
  }
}

function freePort({ friends, invites }: Circle, { firstPort, busyPorts }: OwnSide): number {
  const taken = new Set([...busyPorts, ...[...friends, ...invites].map(({ listenPort }) => listenPort)])
  let port = firstPort
  while (taken.has(port)) port++
  return port
}

function full(): ConfigError {
  return misfit(`There is room for ${MAX_FRIENDS} friends and open invitations.`, 'Revoke one: beam anonet revoke NAME')
}

function misfit(message: string, hint: string): ConfigError {
  return new ConfigError(message, { code: 'BEAM_ERR_INVITE', hint })
}
