import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  entryFileName,
  MAX_ENTRY_BYTES,
  parseEntry,
  parseEntryFileName,
  serializeEntry,
  type RegistryEntry,
} from '../../../../backends/mesh/discovery/registry-entry.ts'
import { encodeKey } from '../../../../core/index.ts'

const entries: fc.Arbitrary<RegistryEntry> = fc
  .record({
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key) => encodeKey('service', key)),
    pid: fc.integer({ min: 1, max: 2 ** 31 }),
    port: fc.integer({ min: 1, max: 65535 }),
    domain: fc.option(fc.domain(), { nil: undefined }),
  })
  .map(({ domain, ...rest }) => (domain === undefined ? rest : { ...rest, domain }))

describe('a registry entry', () => {
  it('is read as it was written, and stays within its size', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const text = serializeEntry(entry)
        expect(parseEntry(text)).toEqual(entry)
        expect(text.length).toBeLessThan(MAX_ENTRY_BYTES)
        expect(parseEntryFileName(entryFileName(entry, 7))).toEqual({ pid: entry.pid, temporary: false })
        expect(parseEntryFileName(`${entryFileName(entry, 7)}.tmp`)).toEqual({ pid: entry.pid, temporary: true })
      }),
    )
  })

  it('is nothing when the text is anything else', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseEntry(text) === undefined))
    const good = { version: 1, key: encodeKey('service', new Uint8Array(32)), pid: 1, port: 1 }
    expect(parseEntry(JSON.stringify(good))).toBeDefined()
    for (const wrong of [
      { version: 2 },
      { key: 'x' },
      { pid: 0 },
      { pid: '1' },
      { port: 0 },
      { port: 65536 },
      { port: 1.5 },
      { domain: 5 },
    ]) {
      expect(parseEntry(JSON.stringify({ ...good, ...wrong }))).toBeUndefined()
    }
  })

  it('has a file name that nothing else has', () => {
    fc.assert(fc.property(fc.string(), (name) => parseEntryFileName(name) === undefined))
    const key = encodeKey('service', new Uint8Array(32))
    for (const name of [`${key}.json`, `../${key}.1.1.json`, `${key}.1.1.json.bak`, `${key}.x.1.json`])
      expect(parseEntryFileName(name)).toBeUndefined()
  })
})
