import { describe, expect, it } from 'vitest'
import { chooseFigures, FIGURES, judge, type Figure } from './figures.ts'
import { parseOptions } from './options.ts'
import { medianTable, ratioTable, short, targetTable, type Values } from './report.ts'
import { parseWrk } from './wrk.ts'

const figure = (name: string): Figure => FIGURES.find((one) => one.name === name)!

describe('figures and targets', () => {
  it('chooses figures by name or by their first word', () => {
    expect(chooseFigures(['cpu', 'up']).map(({ name }) => name)).toEqual(['up', 'cpu-down', 'cpu-up'])
    expect(() => chooseFigures(['cp'])).toThrow('no figure "cp"')
  })

  it('judges in the direction that is better', () => {
    expect(judge(figure('cpu-up'), 1.01)).toBe('short')
    expect(judge(figure('cpu-up'), 1)).toBe('ok')
    expect(judge(figure('cpu-up'), 0.7)).toBe('aim met')
    expect(judge(figure('connections'), 0.69)).toBe('short')
    expect(judge(figure('connections'), 1.5)).toBe('aim met')
    expect(judge(figure('crowd-errors'), 0)).toBe('ok')
    expect(judge(figure('ttfb-p99'), 1)).toBeUndefined()
  })
})

describe('the report', () => {
  const values = (): Values =>
    new Map([
      ['ssh', [100, 200, 400]],
      ['beam', [110, 180, 480]],
    ])

  it('fits into 80 columns with every peer', () => {
    const peers = ['direct', 'pipe', 'tls', 'ssh', 'ssh-aes', 'stunnel', 'beam', 'other']
    const wide = (): Values => new Map(peers.map((peer) => [peer, [12345.6, 0.001234, 99999]]))
    const lines = [
      ...medianTable(FIGURES, peers, wide),
      ...targetTable(FIGURES, 'beam', 'ssh', wide),
      ...ratioTable(FIGURES, 'other', 'beam', wide),
    ]
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('takes the median of the ratios of each round and says when rounds disagree', () => {
    const [, line] = targetTable([figure('down')], 'beam', 'ssh', values)
    expect(line).toMatch(/^down +1\.10 x +\(1\.20\.\.0\.900\) +>= 1 +ok, differs$/)
  })

  it('compares two checkouts in every figure that both have', () => {
    const lines = ratioTable([figure('down'), figure('cpu-up')], 'beam', 'ssh', (one) => (one.name === 'down' ? values() : new Map()))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^down +1\.10 x +\(0\.900\.\.1\.20\) +higher is better$/)
  })

  it('lets no median hide a round in which connections failed', () => {
    const [, line] = targetTable([figure('crowd-errors')], 'beam', 'ssh', () => new Map([['beam', [0, 1000, 0]]]))
    expect(line).toMatch(/^crowd-errors +1000 +\(0\.\.1000\) +<= 0 +short, differs$/)
  })

  it('says so when there is nothing to compare with', () => {
    const [, line] = targetTable([figure('down')], 'beam', 'stunnel', values)
    expect(line).toContain('not measured')
  })

  it('prints three digits', () => {
    expect([0, 0.01234, 1.234, 12.34, 1234.5, -56].map(short)).toEqual(['0', '0.012', '1.23', '12.3', '1235', '-56.0'])
  })
})

describe('the report of wrk', () => {
  const report = (rest: string): string => `Running 2s test\n  2 threads\n  4400 requests in 2.00s, 5.1MB read\n${rest}Requests/sec: 2200\n`

  it('gives count, time and no errors', () => {
    expect(parseWrk(report(''))).toMatchObject({ count: 4400, seconds: 2, 'connect errors': 0, 'read errors': 0, 'answer errors': 0 })
    expect(parseWrk('12 requests in 1.50m, 1KB read')).toMatchObject({ seconds: 90 })
  })

  it('tells errors of sockets and other answers apart', () => {
    const errors = '  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 8\n'
    expect(parseWrk(report(errors))).toMatchObject({ 'connect errors': 1, 'read errors': 2, 'timeout errors': 4, 'answer errors': 8 })
    expect(() => parseWrk('unable to connect')).toThrow(RangeError)
  })
})

describe('options', () => {
  it('bounds the rounds and knows its words', () => {
    expect(parseOptions(['--quick', '--only', 'beam, ssh'])).toMatchObject({ rounds: 3, only: ['beam', 'ssh'] })
    expect(parseOptions([]).rounds).toBe(5)
    for (const wrong of ['0', '51', '1.5', 'many']) expect(() => parseOptions(['--rounds', wrong])).toThrow(RangeError)
    expect(() => parseOptions(['--round', '2'])).toThrow(TypeError)
  })
})
