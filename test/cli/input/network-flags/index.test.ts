import { boolean, string } from '@oclif/core/flags'
import { describe, expect, it, vi } from 'vitest'
import type { NetworkFlags } from '../../../../cli/input/network-flags/group.ts'
import { flagsOf, NETWORK_FLAG_GROUPS, networkWishes, selectedBy } from '../../../../cli/input/network-flags/index.ts'

const cans: NetworkFlags = {
  backends: ['tin', 'steel'],
  selects: { 'strong-can': 'steel' },
  publish: { 'strong-can': boolean({}), 'can-port': string({ multiple: true }) },
  publishOptions: ({ 'can-port': ports }) => ({ ports }),
  dial: { 'can-opener': string({}) },
  dialOptions: ({ 'can-opener': opener }) => Promise.resolve({ opener }),
  settings: { 'can-bridge': string({ multiple: true }) },
  environment: ({ 'can-bridge': bridges }, backend) =>
    bridges === undefined ? {} : { [`BEAM_${backend.toUpperCase()}_BRIDGES`]: JSON.stringify(bridges) },
}
const others: NetworkFlags = {
  backends: ['string'],
  publish: { taut: boolean({}) },
  publishOptions: () => ({ taut: true }),
}
const groups = [cans, others]
const usage = expect.objectContaining({ code: 'BEAM_ERR_USAGE' }) as Error

describe('flags of single networks', () => {
  it('ask nothing, and do not ask what is used, when none was typed', async () => {
    const used = vi.fn(() => Promise.resolve([]))
    expect(await networkWishes('publish', { name: ['web'] }, used, groups)).toEqual({ environment: {} })
    expect(used).not.toHaveBeenCalled()
  })

  it('become options of those of their networks that are used', async () => {
    const flags = { 'can-port': ['80'], taut: true }
    expect(await networkWishes('publish', flags, async () => ['steel', 'string'], groups)).toEqual({
      network: { steel: { ports: ['80'] }, string: { taut: true } },
      environment: {},
    })
    expect(await networkWishes('publish', { 'can-port': ['80'] }, async () => ['steel', 'tin'], groups)).toMatchObject({
      network: { steel: { ports: ['80'] }, tin: { ports: ['80'] } },
    })
  })

  it('are told apart by the end', async () => {
    expect(await networkWishes('dial', { 'can-opener': 'key' }, async () => ['tin'], groups)).toEqual({
      network: { tin: { opener: 'key' } },
      environment: {},
    })
  })

  it('become settings of the network, at both ends', async () => {
    for (const end of ['publish', 'dial'] as const) {
      expect(await networkWishes(end, { 'can-bridge': ['a,b', 'c'] }, async () => ['tin'], groups)).toEqual({
        environment: { BEAM_TIN_BRIDGES: '["a,b","c"]' },
      })
    }
  })

  it('are refused, with what to do, when their network is not used', async () => {
    await expect(networkWishes('publish', { 'can-port': ['80'] }, async () => ['string'], groups)).rejects.toThrow(
      '--can-port is for tin and steel, which are not used here.',
    )
    await expect(networkWishes('publish', { taut: true }, async () => ['tin'], groups)).rejects.toEqual(usage)
    await expect(networkWishes('dial', { 'can-bridge': ['x'] }, async () => ['string'], groups)).rejects.toEqual(usage)
  })

  it('bring the node of their network up beside a tunnel of another one, where that is of use', async () => {
    const used = async (): Promise<string[]> => ['tor']
    expect(await networkWishes('publish', { 'p2p-routing': true }, used)).toEqual({
      environment: { BEAM_P2P_PARTICIPATION: 'routing' },
      join: ['mesh'],
    })
    expect(await networkWishes('publish', { 'p2p-full': true }, async () => ['mesh'])).toEqual({
      environment: { BEAM_P2P_PARTICIPATION: 'full' },
    })
    // What is about a tunnel on the mesh is of no use without one, and a visit publishes nothing that could be kept apart.
    await expect(networkWishes('publish', { 'p2p-routing': true, lan: true }, used)).rejects.toEqual(usage)
    await expect(networkWishes('dial', { 'p2p-routing': true }, used)).rejects.toEqual(usage)
  })

  it('go to all of their networks where it is not known which one dials', async () => {
    const { network } = await networkWishes('dial', { 'can-opener': 'key' }, async () => undefined, groups)
    expect(Object.keys(network ?? {})).toEqual(['tin', 'steel'])
  })

  it('can choose a network by themselves', async () => {
    expect(selectedBy({ 'strong-can': true, taut: true }, groups)).toEqual(['steel'])
    expect(await networkWishes('publish', { 'strong-can': true }, async () => ['steel'], groups)).toEqual({ environment: {} })
  })

  it('have names of their own', () => {
    for (const end of ['publish', 'dial'] as const) {
      const names = NETWORK_FLAG_GROUPS.flatMap((group) => Object.keys({ ...group[end], ...group.settings }))
      expect(names).toHaveLength(new Set(names).size)
      expect(Object.keys(flagsOf(end)).toSorted()).toEqual(names.toSorted())
    }
  })
})
