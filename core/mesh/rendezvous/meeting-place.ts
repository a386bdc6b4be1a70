import { ConfigError } from '../../errors.ts'
import { decodeKey, encodeKey } from '../../identity/address.ts'

/** A meeting place behind a network: the key that its node holds there, and the address at which the network leads to it. */
export interface MeetingPlace {
  readonly key: Buffer
  /** As the network writes it, without `http://`: `….onion`, `….b32.i2p`. Only a backend that understands it is ever given it. */
  readonly address: string
}

/** `beam-node:<56 characters>@<address>`: what `beam node --rendezvous --tor` prints and `p2p.rendezvous` lists. */
export function formatMeetingPlace(key: Uint8Array, address: string): string {
  return `beam-node:${encodeKey('node', key)}@${address.replace(/^http:\/\//, '')}`
}

/** Longest address of a network: a host name, a port and room for what a plugin's network may write. */
const MAX_ADDRESS = 320

/** Whether a network leads to the address is for its backend to say. @throws ConfigError (`BEAM_ERR_ADDRESS_INVALID`) */
export function parseMeetingPlace(text: string): MeetingPlace {
  const match = /^beam-node:([a-z2-7]{56})@([!-~]+)$/.exec(text.trim())
  const key = match?.[1] === undefined ? undefined : decodeKey('node', match[1])
  const address = match?.[2] ?? ''
  if (key !== undefined && address.length <= MAX_ADDRESS) return { key, address }
  throw new ConfigError(`${JSON.stringify(text.slice(0, 120))} is no address of a meeting place.`, {
    code: 'BEAM_ERR_ADDRESS_INVALID',
    hint: 'It looks like beam-node:KEY@….onion, as “beam node --rendezvous --tor” prints it. Copy the whole of it again.',
  })
}
