import { createHash } from 'node:crypto'

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** I2P's base64: `-` and `~` in the places of `+` and `/`. */
export function toI2pBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '~')
}

/** The bytes of a text in I2P's base64; undefined when it is none. Missing `=` at the end are forgiven, as routers do. */
export function fromI2pBase64(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9~-]*={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text.replaceAll('-', '+').replaceAll('~', '/'), 'base64')
  const plain = text.replace(/=+$/, '')
  return toI2pBase64(bytes).replace(/=+$/, '') === plain ? bytes : undefined
}

/** Base32 (RFC 4648) in lower case without padding. */
export function toBase32(bytes: Uint8Array): string {
  let text = ''
  let value = 0
  let bits = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >>> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits > 0 ? text + BASE32[(value << (5 - bits)) & 31] : text
}

/** The whole bytes of a text in base32; undefined when a letter is none of it. */
export function fromBase32(text: string): Buffer | undefined {
  const bytes: number[] = []
  let value = 0
  let bits = 0
  for (const letter of text.toLowerCase()) {
    const index = BASE32.indexOf(letter)
    if (index < 0) return undefined
    value = ((value << 5) | index) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >>> bits) & 255)
  }
  return Buffer.from(bytes)
}

/** SHA-256. */
export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** CRC-32 (ISO 3309), as addresses of encrypted lease sets use it. */
export function crc32(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
