import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bootstrapProblem } from '../../../../backends/mesh/discovery/bootstrap-list.ts'
import { formatNodeAddress, parseNodeAddress } from '../../../../backends/mesh/network/node-address.ts'
import { generateIdentity } from '../../../../core/index.ts'

const { publicKey } = generateIdentity()

it('makes of any text the address of a node or a refusal', () => {
  const start = formatNodeAddress(publicKey, { host: 'a', port: 1 }).slice(0, -3)
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => start + rest),
    fc.tuple(fc.domain(), fc.integer()).map(([host, port]) => `${start}${host}:${port}`),
  )
  fc.assert(
    fc.property(text, (address) => {
      try {
        const { key, host, port } = parseNodeAddress(address)
        expect(key).toHaveLength(32)
        expect(host).not.toBe('')
        expect(port).toBeGreaterThan(0)
        expect(port).toBeLessThan(65_536)
      } catch (error) {
        expect(error).toMatchObject({ code: 'BEAM_ERR_ADDRESS_INVALID' })
      }
    }),
  )
})

it('never has a host of a network that hides who dials: it would be looked up in the DNS', () => {
  for (const host of ['x.onion', 'X.ONION', 'x.b32.i2p', 'x.anon', 'x.onion.']) {
    expect(() => parseNodeAddress(formatNodeAddress(publicKey, { host, port: 4001 }))).toThrow(/dialled directly/)
    expect(bootstrapProblem(`${host}:4001`)).toMatch(/network/)
  }
})
