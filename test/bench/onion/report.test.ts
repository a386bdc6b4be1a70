import { describe, expect, it } from 'vitest'
import { parseOnionOptions } from './options.ts'
import { circuitLines, onionTable } from './report.ts'

describe('options of the onion bench', () => {
  it('are seven rounds of both peers over tor, unless others are asked for', () => {
    expect(parseOnionOptions([])).toMatchObject({ network: 'tor', only: ['raw', 'beam'], rounds: 7, delayMs: 0, downloadBytes: 16 << 20 })
    expect(parseOnionOptions(['--network', 'anon', '--delay', '50', '--mib', '4'])).toMatchObject({
      network: 'anon',
      delayMs: 50,
      downloadBytes: 4 << 20,
    })
  })

  it.each([
    ['--rounds', '0'],
    ['--rounds', '51'],
    ['--delay', '-1'],
    ['--mib', '0.5'],
    ['--network', 'i2p'],
    ['--only', 'ssh'],
  ])('refuse %s %s', (...argv) => {
    expect(() => parseOnionOptions([`${argv[0]}=${argv[1]}`])).toThrow(RangeError)
  })
})

describe('the report of the onion bench', () => {
  const rounds = (raw: readonly number[], beam: readonly number[]): Parameters<typeof onionTable>[0] => ({
    raw: raw.map((value) => ({ 'down-1': value, 'down-4': 3 * value, 'ttfb-warm': value })),
    beam: beam.map((value) => ({ 'down-1': value, 'down-4': 2 * value, 'ttfb-warm': value })),
  })
  const line = (name: string, ...values: Parameters<typeof rounds>): string =>
    onionTable(rounds(...values)).find((row) => row.startsWith(name))!

  it('puts ratios of the same round beside the spread of raw', () => {
    expect(line('down-1', [8, 10, 12], [8, 10, 12])).toMatch(/1\.00 x \(1\.00\.\.1\.00\) +0\.800\.\.1\.20 +inside, within 5 %$/)
    expect(line('down-1', [8, 10, 12], [7, 8.5, 10.5])).toMatch(/inside$/)
    expect(line('ready-cold', [1], [1])).toMatch(/not measured$/)
  })

  it('calls only what is worse than raw at its worst outside', () => {
    expect(line('down-1', [9, 10, 11], [5, 6, 7])).toMatch(/OUTSIDE$/)
    expect(line('down-1', [9, 10, 11], [20, 20, 20])).toMatch(/inside$/)
    expect(line('ttfb-warm', [9, 10, 11], [20, 20, 20])).toMatch(/OUTSIDE$/)
    expect(line('ttfb-warm', [9, 10, 11], [5, 5, 5])).toMatch(/inside$/)
  })

  it('says what four circuits gain over one', () => {
    expect(circuitLines(rounds([10], [10]))).toEqual([
      'raw: four circuits carry 3.00 x (3.00..3.00) of one',
      'beam: four circuits carry 2.00 x (2.00..2.00) of one',
    ])
  })
})
