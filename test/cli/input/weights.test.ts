import { expect, it } from 'vitest'
import { parseWeights } from '../../../cli/input/weights.ts'

it('reads shares by the name of the network', () => {
  expect(parseWeights(undefined)).toBeUndefined()
  expect(parseWeights(['tor=3', ' mesh=1'])).toEqual({ tor: 3, mesh: 1 })
})

it.each(['tor', 'tor=', 'tor=-1', '=3', 'tor=1.5', 'Tor=1', 'tor=10000'])('refuses %s', (word) => {
  expect(() => parseWeights([word])).toThrow(expect.objectContaining({ code: 'BEAM_ERR_USAGE' }) as Error)
})
