import { ConfigError } from '../errors.ts'
import { decodeKey, encodeKey, looksLikeBeamAddress } from './address.ts'

/** A visitor's public key as `beam key show` prints it and `--allow` takes it: 56 characters. */
export function formatVisitorKey(publicKey: Uint8Array): string {
  return encodeKey('visitor', publicKey)
}

/**
 * The 32 bytes of a visitor key that somebody typed or pasted.
 * @throws ConfigError saying what the text is instead.
 */
export function parseVisitorKey(text: string): Buffer {
  const key = decodeKey('visitor', text.trim())
  if (key !== undefined) return key
  const isService = looksLikeBeamAddress(text.trim()) || decodeKey('service', text.trim()) !== undefined
  throw new ConfigError(isService ? 'This is the address of a service, not a visitor key.' : 'This is no visitor key.', {
    code: 'BEAM_ERR_ADDRESS_INVALID',
    hint: 'The visitor sees it with `beam key show`: 56 letters and digits.',
  })
}
