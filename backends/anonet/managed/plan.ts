import { createHash } from 'node:crypto'
import { FIRST_PRIVATE_AS, FIRST_SHORT_AS, LAST_PRIVATE_AS, LAST_SHORT_AS, LINK_RANGE } from '../constants.ts'
import { addressText, covers, parsePrefix, type Prefix } from '../mesh-address.ts'

const LINKS = parsePrefix(LINK_RANGE) as Prefix

/** A node's place in the mesh, worked out of its key: nobody hands out numbers, and friends compare them when they meet. */
export interface Plan {
  readonly prefix: Prefix
  readonly asn: number
}

/** The plan of a key. Two nodes of a mesh of a hundred share a prefix with a probability of 7 %: then one of them sets another one. */
export function planOf(publicKey: Uint8Array, range: Prefix): Plan {
  const digest = createHash('sha256').update('beam anonet plan\0').update(publicKey).digest()
  const asn = FIRST_PRIVATE_AS + (digest.readUInt32BE(0) % (LAST_PRIVATE_AS - FIRST_PRIVATE_AS + 1))
  const networks = 2 ** Math.max(0, 24 - range.length)
  for (let at = 4; ; at += 3) {
    const base = range.base + (digest.readUIntBE(at % 28, 3) % networks) * 256
    const prefix = { base, length: 24 }
    // The first and the last network of the range are left alone, and so are the links.
    if (!covers(LINKS, prefix) && base !== range.base) return { prefix, asn }
  }
}

/** The address of a node in its prefix: services listen there. */
export function nodeAddress({ base, length }: Prefix): string {
  return addressText(length === 32 ? base : base + 1)
}

/** The two addresses of a link. */
export function linkAddresses(slot: number): { readonly inviter: string; readonly invited: string } {
  const base = LINKS.base + slot * 4
  return { inviter: addressText(base + 1), invited: addressText(base + 2) }
}

/** Whether an AS number is one of those that anybody may use. */
export function isPrivateAs(asn: number): boolean {
  return Number.isInteger(asn) && ((asn >= FIRST_PRIVATE_AS && asn <= LAST_PRIVATE_AS) || (asn >= FIRST_SHORT_AS && asn <= LAST_SHORT_AS))
}
