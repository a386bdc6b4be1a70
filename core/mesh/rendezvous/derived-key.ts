import { hkdfSync } from 'node:crypto'
import { identityFromSeed, KEY_BYTES, seedOf, type Identity } from '../../identity/identity.ts'

/** What the derived keys are for; a key for one purpose is none for the other. */
const PURPOSES = { record: 'beam rendezvous record key v1', node: 'beam rendezvous node key v1' } as const

/**
 * A key that stands for a tunnel at meeting places: made of its service key by HKDF (RFC 5869), so that it comes back with it and is exported
 * with it, while nobody who sees both public keys can tell that they belong together. One for each name: the same service under two
 * names shows two keys.
 */
export function rendezvousRecordKey(service: Identity, name: string): Identity {
  return derived(service, `${PURPOSES.record}\0${name}`)
}

/** The key by which a meeting place behind a hiding network is known: not that of this user's node on the mesh. */
export function rendezvousNodeKey(service: Identity): Identity {
  return derived(service, PURPOSES.node)
}

function derived(service: Identity, info: string): Identity {
  return identityFromSeed(new Uint8Array(hkdfSync('sha256', seedOf(service), new Uint8Array(), info, KEY_BYTES)))
}
