import { describe, expect, it } from 'vitest'
import { parsePss, parseStat, withDescendants } from '../../../plugins/benchmark/proc.ts'

const STAT =
  '4242 (a) S 1 (b) S 17 4242 4242 0 -1 4194304 2510 90 0 0 150 25 3 2 20 0 11 0 987654 1114112 500 18446744073709551615 1 1 0 0 0 0 0 0'

describe('/proc', () => {
  it('reads parent, CPU with that of reaped children, and start of a process whose name has spaces and brackets', () => {
    expect(parseStat(STAT)).toEqual({ pid: 4242, parent: 17, name: 'a) S 1 (b', cpuSeconds: 1.8, startTicks: 987654 })
  })

  it('refuses what is no line of stat', () => {
    expect(() => parseStat('')).toThrow(RangeError)
    expect(() => parseStat('12 (x) S 1')).toThrow(RangeError)
  })

  it('reads Pss and none of its parts', () => {
    expect(parsePss('Rss:   900 kB\nPss:                 197 kB\nPss_Anon:            112 kB\n')).toBe(197)
    expect(() => parsePss('Rss: 900 kB\n')).toThrow(RangeError)
  })

  it('finds descendants in any order, and not those of others', () => {
    const process = (pid: number, parent: number) => ({ pid, parent })
    const all = [process(5, 3), process(3, 2), process(2, 1), process(9, 1), process(10, 9)]
    expect(withDescendants([2], all).map(({ pid }) => pid)).toEqual([5, 3, 2])
    expect(withDescendants([], all)).toEqual([])
  })
})
