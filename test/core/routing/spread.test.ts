import { expect, it } from 'vitest'
import { WeightedSpread } from '../../../core/routing/index.ts'

it('spreads in proportion and evenly', () => {
  const spread = new WeightedSpread<string>()
  const shares = new Map([
    ['a', 5],
    ['b', 1],
    ['c', 1],
  ])
  expect(Array.from({ length: 7 }, () => spread.next(shares)).join('')).toBe('aabacaa')
})

it('leaves out what has no share, and what is gone', () => {
  const spread = new WeightedSpread<string>()
  expect(spread.next(new Map([['a', 0]]))).toBeUndefined()
  expect(spread.next(new Map())).toBeUndefined()
  spread.next(
    new Map([
      ['a', 1],
      ['b', 1],
    ]),
  )
  expect(Array.from({ length: 3 }, () => spread.next(new Map([['b', 1]])))).toEqual(['b', 'b', 'b'])
})
