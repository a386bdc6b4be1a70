import { describe, expect, it } from 'vitest'
import { parseDuration } from '../../../cli/input/duration.ts'
import { optionalValues } from '../../../cli/input/optional-values.ts'
import { parseShare } from '../../../cli/input/share.ts'

const BOUNDS = { least: 1, most: 3_600_000 }

describe('durations and shares', () => {
  it('are read with their units', () => {
    expect(['500ms', '60s', '1.5m', '1h', '30'].map((text) => parseDuration(text, '--x', BOUNDS))).toEqual([
      500, 60_000, 90_000, 3_600_000, 30_000,
    ])
    expect(['99%', '0.5', '100%', '0', '99.9%'].map((text) => parseShare(text, '--x'))).toEqual([0.99, 0.5, 1, 0, expect.closeTo(0.999, 9)])
  })

  it.each(['', 's', '-1s', '1d', '1s2', '1e3s', 'NaN'])('%j is no duration', (text) => {
    expect(() => parseDuration(text, '--x', BOUNDS)).toThrow('a duration is needed')
  })

  it('have their bounds', () => {
    expect(() => parseDuration('0ms', '--x', BOUNDS)).toThrow('from 1ms to 1h')
    expect(() => parseDuration('61m', '--x', BOUNDS)).toThrow('from 1ms to 1h')
    for (const text of ['101%', '1.01', '-1', 'all']) expect(() => parseShare(text, '--x')).toThrow('a share is needed')
  })
})

describe('optionalValues()', () => {
  it('puts standard output where a value is missing, and leaves values alone', () => {
    const flags = ['--csv', '--html']
    expect(optionalValues(['--html'], flags)).toEqual(['--html', '-'])
    expect(optionalValues(['--csv', '--html', 'r.html', '-q'], flags)).toEqual(['--csv', '-', '--html', 'r.html', '-q'])
    expect(optionalValues(['--html', '-', '--json'], flags)).toEqual(['--html', '-', '--json'])
    expect(optionalValues(['--html=r.html'], flags)).toEqual(['--html=r.html'])
  })
})
