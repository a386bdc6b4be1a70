import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { PublishChoices } from './options.ts'
import type { ServiceSetup } from './service.ts'

/** A key for the check of oneself, where the lease set is for known visitors only. */
export function ownClientFor({ encryption }: PublishChoices): ServiceSetup['ownClient'] {
  if (encryption === undefined || encryption.auth === 'none') return undefined
  const name = 'beam-self-check'
  if (encryption.auth === 'psk') {
    const key = randomBytes(32)
    return { publisher: { name, key }, visitor: key }
  }
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const raw = (part: string | undefined): Buffer => Buffer.from(part ?? '', 'base64url')
  return {
    publisher: { name, key: raw(publicKey.export({ format: 'jwk' }).x) },
    visitor: raw(privateKey.export({ format: 'jwk' }).d),
  }
}
