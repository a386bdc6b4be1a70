import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeLetter, encodeLetter, type Letter } from '../../../../backends/anonet/managed/invite.ts'
import { generateIdentity, isBeamError, KEY_BYTES } from '../../../../core/index.ts'

const NOW = Date.UTC(2030, 0, 1)
const identity = generateIdentity()
const letter: Letter = {
  kind: 'invite',
  from: identity.publicKey,
  link: new Uint8Array(16).fill(7),
  expiresAt: NOW / 1_000 + 60,
  wireguardKey: new Uint8Array(KEY_BYTES).fill(9),
  endpoints: [
    { host: '203.0.113.7', port: 51820 },
    { host: '2001:db8::7', port: 51820 },
  ],
  asn: 4242420001,
  prefix: { base: 0x15010000, length: 24 },
  slot: 77,
  name: 'Alice of the laptop',
}
const text = encodeLetter(letter, identity)

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const octet = fc.integer({ min: 1, max: 254 })
const letters: fc.Arbitrary<Letter> = fc
  .record({
    kind: fc.constantFrom('invite' as const, 'answer' as const),
    link: bytes(16),
    wireguardKey: bytes(KEY_BYTES),
    endpoints: fc.array(
      fc.record({ host: fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.')), port: fc.integer({ min: 1, max: 65_535 }) }),
      { maxLength: 4 },
    ),
    asn: fc.integer({ min: 4_200_000_000, max: 4_294_967_294 }),
    base: fc.nat({ max: 0xffff }),
    slot: fc.nat({ max: (1 << 14) - 1 }),
    name: fc.option(fc.constantFrom('bob', 'Zoë 2', 'a'), { nil: undefined }),
  })
  .map(({ base, name, ...rest }) => ({
    ...rest,
    from: identity.publicKey,
    ...(rest.kind === 'answer' && { to: new Uint8Array(KEY_BYTES).fill(3) }),
    expiresAt: letter.expiresAt,
    prefix: { base: 0x15000000 + base * 256, length: 24 },
    ...(name !== undefined && { name }),
  }))

/** Why a text is refused. */
function refusal(damaged: string, now = NOW): string {
  try {
    decodeLetter(damaged, now)
  } catch (error) {
    if (isBeamError(error) && error.code === 'BEAM_ERR_INVITE' && error.hint !== undefined) return error.message
    throw error
  }
  throw new Error('it was taken')
}

describe('an invitation', () => {
  it('is one line that survives mail programs', () => {
    expect(text).toMatch(/^anonet-invite-[A-Za-z0-9_-]{200,500}$/)
    const folded = ` > ${text.match(/.{1,60}/g)?.join('\r\n')} \u200B`.replace('> ', '')
    expect(decodeLetter(folded, NOW)).toEqual(decodeLetter(text, NOW))
  })

  it('says what was written', () => {
    fc.assert(
      fc.property(letters, (written) => {
        const read = decodeLetter(encodeLetter(written, identity), NOW)
        expect({
          ...read,
          from: Buffer.from(read.from),
          link: Buffer.from(read.link),
          wireguardKey: Buffer.from(read.wireguardKey),
          to: read.to && Buffer.from(read.to),
        }).toEqual({
          ...written,
          from: Buffer.from(written.from),
          link: Buffer.from(written.link),
          wireguardKey: Buffer.from(written.wireguardKey),
          to: written.to && Buffer.from(written.to),
        })
      }),
    )
  })

  it('is refused when any character of it is missing or another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 'anonet-invite-'.length, max: text.length - 1 }), fc.constantFrom('', 'A', 'z', '_'), (at, put) => {
        fc.pre(text[at] !== put)
        // The last character has bits that mean nothing.
        fc.pre(at < text.length - 1 || put === '')
        expect(refusal(text.slice(0, at) + put + text.slice(at + 1))).toMatch(/damaged/)
      }),
    )
  })

  it('is refused when somebody else wrote it, with a checksum that fits', () => {
    const forged = encodeLetter(letter, generateIdentity())
    expect(refusal(forged)).toMatch(/signature is wrong/)
    expect(refusal(text.replace('invite', 'answer'))).toMatch(/not what Beam writes/)
  })

  it('expires, with a little patience for clocks', () => {
    expect(decodeLetter(text, letter.expiresAt * 1_000 + 200_000).slot).toBe(77)
    expect(refusal(text, letter.expiresAt * 1_000 + 400_000)).toMatch(/expired on 2030-01-01 00:01 UTC/)
  })

  it.each([
    ['a public AS number', { asn: 13_335 }],
    ['a slot that is none', { slot: 1 << 14 }],
    ['too many endpoints', { endpoints: Array.from({ length: 5 }, () => ({ host: '203.0.113.7', port: 1 })) }],
    ['an endpoint that is a name', { endpoints: [{ host: 'evil.example', port: 1 }] }],
    ['a prefix with bits behind its length', { prefix: { base: 0x15010001, length: 24 } }],
    ['a name with control characters', { name: 'bob\u001b[2J' }],
    ['a short key', { wireguardKey: new Uint8Array(31) }],
    ['no addressee of an answer', { kind: 'answer' as const }],
  ])('is refused with %s, also when it is signed', (_, change) => {
    expect(refusal(encodeLetter({ ...letter, ...change }, identity))).toMatch(/not what Beam writes/)
  })

  it('any text is a letter, or an error that says what to do', () => {
    fc.assert(fc.property(fc.string(), (anything) => void refusal(anything)))
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2_000 }),
        (anything) => void refusal(`anonet-invite-${Buffer.from(anything).toString('base64url')}`),
      ),
    )
    expect(refusal('x'.repeat(5_000))).toMatch(/too long/)
  })
})
