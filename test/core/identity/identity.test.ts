import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  generateIdentity,
  identityFromPrivateKey,
  identityFromSeed,
  publicKeyObject,
  rawPublicKey,
  seedOf,
  signWith,
  verifySignature,
} from '../../../core/index.ts'

describe('identities', () => {
  it('are those of RFC 8032 section 7.1, test 2', () => {
    const identity = identityFromSeed(Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex'))
    expect(Buffer.from(identity.publicKey).toString('hex')).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
    expect(signWith(identity, Uint8Array.of(0x72)).toString('hex')).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
  })

  it('come back from their seed', () => {
    const identity = generateIdentity()
    expect(seedOf(identity)).toHaveLength(32)
    expect(identityFromSeed(seedOf(identity)).publicKey).toEqual(identity.publicKey)
    expect(generateIdentity().publicKey).not.toEqual(identity.publicKey)
  })

  it('refuse a seed of another length', () => {
    expect(() => identityFromSeed(new Uint8Array(31))).toThrow(RangeError)
  })

  it('are made of Ed25519 keys only', () => {
    expect(identityFromPrivateKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)).toBeUndefined()
    expect(rawPublicKey(generateKeyPairSync('x25519').publicKey)).toBeUndefined()
  })

  it('turn raw public keys into key objects and back', () => {
    const { publicKey } = generateIdentity()
    expect(rawPublicKey(publicKeyObject(publicKey))).toEqual(publicKey)
  })
})

describe('verifySignature', () => {
  it('is true for the key, the data and the signature only', () => {
    const [identity, other] = [generateIdentity(), generateIdentity()]
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (data, bit) => {
        const signature = signWith(identity, data)
        expect(verifySignature(identity.publicKey, data, signature)).toBe(true)
        expect(verifySignature(other.publicKey, data, signature)).toBe(false)
        for (const damaged of [data, signature]) {
          const index = (bit >> 3) % damaged.length
          damaged[index] = (damaged[index] ?? 0) ^ (1 << (bit & 7))
          expect(verifySignature(identity.publicKey, data, signature)).toBe(false)
          damaged[index] = (damaged[index] ?? 0) ^ (1 << (bit & 7))
        }
      }),
    )
  })

  it('is false, and never throws, for what is no key and no signature', () => {
    const bytes = fc.uint8Array({ maxLength: 80 })
    fc.assert(
      fc.property(bytes, bytes, bytes, (key, data, signature) => {
        expect(verifySignature(key, data, signature)).toBe(false)
        expect(verifySignature(generateIdentity().publicKey, data, signature)).toBe(false)
      }),
    )
  })
})
