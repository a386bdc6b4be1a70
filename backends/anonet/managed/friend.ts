import type { Prefix } from '../mesh-address.ts'
import type { Endpoint } from './endpoint.ts'

/** What this node keeps of one link: its own end. */
export interface LinkEnd {
  /** Name of the link: 16 bytes, hexadecimal. */
  readonly link: string
  /** Private key of this end, base64url. Never leaves the file and the node's own WireGuard. */
  readonly privateKey: string
  /** UDP port of this end. */
  readonly listenPort: number
  /** Which addresses the link has. */
  readonly slot: number
}

/** An invitation that nobody has answered yet. */
export interface OpenInvite extends LinkEnd {
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** For whom, in the inviter's own words. */
  readonly for?: string
}

/** A friend: what he said of himself, and this end of the link. */
export interface Friend extends LinkEnd {
  /** Short name in commands: the beginning of his key. */
  readonly id: string
  readonly name?: string
  /** His Ed25519 key, base64url. */
  readonly key: string
  readonly wireguardKey: string
  readonly endpoints: readonly Endpoint[]
  readonly asn: number
  readonly prefix: Prefix
  /** Whether this node invited: it has the first address of the link. */
  readonly invited: boolean
  /** Whether he may pass on what his friends announce. */
  readonly transit: boolean
  /** Milliseconds since the epoch. */
  readonly since: number
}

/** A node's own key and its links. */
export interface Circle {
  /** Ed25519 seed, base64url: signs invitations, and decides prefix and AS number. */
  readonly seed: string
  readonly invites: readonly OpenInvite[]
  readonly friends: readonly Friend[]
}

/** The short name of a key. */
export function friendId(key: Uint8Array): string {
  return Buffer.from(key).toString('hex').slice(0, 8)
}

/** The friend that a word means: his name or the beginning of his id. Undefined when it means nobody or several. */
export function findFriend(friends: readonly Friend[], word: string): Friend | undefined {
  const found = friends.filter(({ name, id }) => name === word || id === word)
  const near = found.length > 0 ? found : friends.filter(({ id }) => word.length >= 4 && id.startsWith(word))
  return near.length === 1 ? near[0] : undefined
}
