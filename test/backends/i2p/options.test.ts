import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { toI2pBase64 } from '../../../backends/i2p/base64.ts'
import { dialChoices, publishChoices } from '../../../backends/i2p/options.ts'
import { diallingOptions, publishingOptions } from '../../../backends/i2p/session-options.ts'
import { sessionCreate } from '../../../backends/i2p/sam/commands.ts'

const DEFAULTS = { length: 3, quantity: 3, variance: 0 }
const key = randomBytes(32)
const usual = key.toString('base64')

describe('options of a tunnel', () => {
  it('are the configured ones where nothing is said', () => {
    expect(publishChoices(undefined, DEFAULTS)).toMatchObject({ shape: DEFAULTS, encryption: undefined, bookName: undefined })
  })
  it('are taken as they are given', () => {
    const { shape, access, encryption } = publishChoices(
      { length: 2, quantity: 4, variance: 1, deny: ['a'.repeat(51) + 'q'], clients: [`alice:${usual}`] },
      DEFAULTS,
    )
    expect(shape).toEqual({ length: 2, quantity: 4, variance: 1 })
    expect([...access.deny]).toEqual([`${'a'.repeat(51)}q.b32.i2p`])
    expect(encryption).toEqual({ auth: 'psk', clients: [{ name: 'alice', key }] })
  })
  it.each([
    [{ length: 8 }, 'length is not a whole number from 0 to 7'],
    [{ length: '3' }, 'length is not a whole number'],
    [{ quantity: 0 }, 'quantity is not a whole number from 1 to 16'],
    [{ variance: 3 }, 'variance is not'],
    [{ length: 0 }, 'cannot be without hops'],
    [{ length: 2, variance: -2 }, 'cannot be without hops'],
    [{ lenght: 3 }, 'no option “lenght”'],
    [{ encrypted: 'yes' }, 'neither true nor false'],
    [{ auth: 'rsa', clients: [`a:${usual}`] }, 'neither psk nor dh'],
    [{ auth: 'psk' }, 'needs clients'],
    [{ encrypted: false, clients: [`a:${usual}`] }, 'need an encrypted lease set'],
    [{ clients: ['alice'] }, 'NAME:KEY'],
    [{ clients: ['a:c2hvcnQ='] }, 'no key of 32 bytes'],
    [{ clients: [`a:${usual}`, `a:${usual}`] }, 'one name'],
    [{ allow: 'x' }, 'no list of texts'],
    [{ allow: ['nobody'] }, 'no destination'],
    [{ hostname: 'x.org' }, 'no name of I2P'],
    [{ keyFile: '' }, 'is no text'],
  ])('%j is refused', (options, message) => {
    const attempt = (): unknown => publishChoices(options, DEFAULTS)
    expect(attempt).toThrow(message)
    expect(attempt).toThrowError(expect.objectContaining({ kind: 'config', message: expect.not.stringContaining(usual) as string }))
  })
  it('UDP is refused in clear words', () => {
    expect(() => publishChoices({ udp: true }, DEFAULTS)).toThrowError(
      expect.objectContaining({ kind: 'unsupported', message: 'Beam carries TCP through I2P, not UDP.' }),
    )
  })
  it('of a visit: a key and a name', () => {
    expect(dialChoices({ clientKey: toI2pBase64(key), as: 'me' })).toEqual({ clientKey: key, as: 'me' })
    expect(() => dialChoices({ clientKey: 'x' })).toThrow('no key of 32 bytes')
    expect(() => dialChoices({ length: 1 })).toThrow('no option “length”')
  })
})

describe('options of a session', () => {
  it('name the encryption type, since SAM’s own is ElGamal, and hide a visitor’s lease set', () => {
    expect(Object.fromEntries(diallingOptions({ length: 2, quantity: 2, variance: 0 }, undefined))).toEqual({
      'inbound.length': '2',
      'inbound.quantity': '2',
      'outbound.length': '2',
      'outbound.quantity': '2',
      'i2cp.leaseSetEncType': '4',
      'inbound.nickname': 'beam-visitor',
      'i2cp.dontPublishLeaseSet': 'true',
    })
  })
  it('name the clients of an encrypted lease set', () => {
    const options = publishingOptions(DEFAULTS, { auth: 'dh', clients: [{ name: 'alice', key }] })
    expect(options.get('i2cp.leaseSetType')).toBe('5')
    expect(options.get('i2cp.leaseSetAuthType')).toBe('1')
    expect(options.get('i2cp.leaseSetClient.dh.0')).toBe(`alice:${toI2pBase64(key)}`)
  })
  it('cannot smuggle in another command', () => {
    expect(() => sessionCreate('x', undefined, new Map([['a', 'b\nQUIT']]))).toThrowError(expect.objectContaining({ kind: 'internal' }))
    expect(() => sessionCreate('x y', undefined, new Map())).toThrowError(expect.objectContaining({ kind: 'internal' }))
  })
})
