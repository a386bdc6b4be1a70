import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openGeoip } from '../../../cli/network/geoip.ts'
import { temporaryFolder } from '../beam-process.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

/** Writes of the MaxMind DB format 2.0: control byte (type, length), then the payload; maps are pairs. */
const text = (value: string): Buffer => Buffer.concat([Buffer.from([(2 << 5) | value.length]), Buffer.from(value)])
const number = (value: number): Buffer => Buffer.from([(6 << 5) | 4, 0, 0, (value >> 8) & 0xff, value & 0xff])
const map = (entries: Readonly<Record<string, Buffer>>): Buffer =>
  Buffer.concat([
    Buffer.from([(7 << 5) | Object.keys(entries).length]),
    ...Object.entries(entries).flatMap(([key, value]) => [text(key), value]),
  ])

/** A database for IPv4 in which every address with a first bit of 1 is in Portugal: one node of a tree with records of 24 bits. */
function database(entry: Buffer): Buffer {
  const nothing = 1 // The number of nodes means: no data.
  const data = 1 + 16 // The first entry of the data section.
  const tree = Buffer.from([0, 0, nothing, 0, 0, data])
  const metadata = map({
    node_count: number(1),
    record_size: number(24),
    ip_version: number(4),
    database_type: text('Test'),
    binary_format_major_version: number(2),
    binary_format_minor_version: number(0),
    build_epoch: number(0),
  })
  const marker = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from('MaxMind.com')])
  return Buffer.concat([tree, Buffer.alloc(16), entry, marker, metadata])
}

async function file(content: Buffer | string): Promise<string> {
  const folder = await temporaryFolder()
  open.push(folder)
  const path = join(folder.path, 'country.mmdb')
  await writeFile(path, content)
  return path
}

describe('a database of countries', () => {
  it('tells the country of an address, and nothing of one that it does not know', async () => {
    const countryOf = await openGeoip(await file(database(map({ country: map({ iso_code: text('PT') }) }))))
    expect(countryOf('192.0.2.1')).toBe('PT')
    expect(countryOf('10.0.0.1')).toBeUndefined()
    expect(countryOf('not an address')).toBeUndefined()
  })

  it('falls back on the country of the registration, and shows no control characters of its texts', async () => {
    const countryOf = await openGeoip(await file(database(map({ registered_country: map({ iso_code: text('P\u001B[31mT') }) }))))
    expect(countryOf('192.0.2.1')).toBe('PT')
  })

  it('is refused when it is none', async () => {
    for (const content of ['', 'no database at all', Buffer.alloc(100_000)])
      await expect(openGeoip(await file(content))).rejects.toMatchObject({ code: 'BEAM_ERR_USAGE' })
    await expect(openGeoip('/nonexistent.mmdb')).rejects.toMatchObject({ code: 'BEAM_ERR_USAGE' })
  })
})
