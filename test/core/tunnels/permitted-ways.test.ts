import { describe, expect, it } from 'vitest'
import { generateIdentity } from '../../../core/identity/identity.ts'
import { permittedWays } from '../../../core/tunnels/permitted-ways.ts'
import { handleOf, PuppetBackend } from './puppet-backend.ts'

const [one, two] = [handleOf(new PuppetBackend('one')), handleOf(new PuppetBackend('two'))]

describe('ways of one multipath stream', () => {
  const own = generateIdentity()
  const ways = [
    { handle: one, address: 'memory://a' },
    { handle: one, address: 'memory://b' },
    { handle: two, address: 'memory://c' },
    { handle: two, address: 'memory://d', dial: { identity: own } },
  ]

  it('show one key on each network, so that a path that was lost can join again', () => {
    const { targets } = permittedWays(ways, { strategy: 'multipath', allowExposure: false })
    const keys = targets.map(({ dial }) => dial?.identity)
    expect(keys.every((key) => key !== undefined)).toBe(true)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
    expect(keys[3]).toBe(own)
  })

  it('show none where connections stay on one way', () => {
    const { targets } = permittedWays(ways, { strategy: 'fallback', allowExposure: false })
    expect(targets.map(({ dial }) => dial?.identity)).toEqual([undefined, undefined, undefined, own])
  })
})
