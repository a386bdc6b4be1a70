import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  claimRecordName,
  claimText,
  parseClaimText,
  parseServiceText,
  serviceRecordName,
  serviceText,
} from '../../../../backends/mesh/discovery/mdns-names.ts'
import { encodeKey } from '../../../../core/index.ts'

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 })
/** As dns-packet hands the strings of a TXT record over. */
const received = (strings: readonly string[]): Buffer[] => strings.map((text) => Buffer.from(text))

describe('names and texts of multicast DNS', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 65535 }), (key, port) => {
        expect(parseServiceText(received(serviceText(port)))).toBe(port)
        expect(Buffer.from(parseClaimText(received(claimText(key))) ?? [])).toEqual(Buffer.from(key))
      }),
    )
  })

  it('show neither the key nor the domain', () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(serviceRecordName(key)).toMatch(/^[0-9a-f]{32}\._beam\._tcp\.local$/)
        expect(serviceRecordName(key)).not.toContain(encodeKey('service', key).slice(2, 12))
      }),
    )
    expect(claimRecordName('MyApp.local')).toBe(claimRecordName('myapp.local'))
    expect(claimRecordName('myapp.local')).toMatch(/^[0-9a-f]{32}\._claim\._beam\._tcp\.local$/)
    expect(claimRecordName('myapp.local')).not.toBe(claimRecordName('myapp2.local'))
  })

  it('are nothing when they say anything else', () => {
    const data = fc.oneof(
      fc.array(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.anything(),
    )
    fc.assert(fc.property(data, (any) => parseServiceText(any) === undefined && parseClaimText(any) === undefined))
    for (const wrong of [['port=1'], ['v=2', 'port=1'], ['v=1', 'port=0'], ['v=1', 'port=65536'], ['v=1', 'port=1e3'], ['v=1', 'port=']]) {
      expect(parseServiceText(received(wrong))).toBeUndefined()
    }
    expect(parseClaimText(received(['v=1', `key=${'a'.repeat(56)}`]))).toBeUndefined()
  })
})
