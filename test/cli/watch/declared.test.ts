import { describe, expect, it } from 'vitest'
import { changesTo, declarationOf, type Declaration } from '../../../cli/watch/declared.ts'
import { resolveConfig, type BeamConfigInput } from '../../../config/index.ts'

const declared = async (input: BeamConfigInput): Promise<Declaration> => declarationOf((await resolveConfig(input)).config)
const running = ({ tunnels }: Declaration): Map<string, string> => new Map([...tunnels].map(([name, { key }]) => [name, key]))
const namesOf = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name)

const [mesh, one, two] = [{ name: 'mesh' }, { name: 'one', command: ['./one'] }, { name: 'two', command: ['./two'], enabled: false }]
const base = {
  backends: [mesh, one, two],
  tunnels: [
    { name: 'all', port: 1 },
    { name: 'only', port: 2, backends: ['one'] },
  ],
} satisfies BeamConfigInput

async function changes(after: BeamConfigInput): Promise<{ gone: readonly string[]; changed: string[]; fresh: string[] }> {
  const { gone, changed, fresh } = changesTo(await declared(after), running(await declared(base)))
  return { gone, changed: namesOf(changed), fresh: namesOf(fresh) }
}

describe('the changes between two readings', () => {
  it('are none when nothing changed, whatever the order', async () => {
    expect(await changes({ ...base, tunnels: base.tunnels.toReversed() })).toEqual({ gone: [], changed: [], fresh: [] })
  })

  it('are what is added, removed and set otherwise', async () => {
    const tunnels = [
      { name: 'all', port: 1, allowExposure: true },
      { name: 'new', port: 3 },
    ]
    expect(await changes({ ...base, tunnels })).toEqual({ gone: ['only'], changed: ['all'], fresh: ['new'] })
  })

  it('reach the tunnels on a network whose settings changed, and no others', async () => {
    expect(await changes({ ...base, backends: [{ ...mesh, priority: 5 }, one, two] })).toMatchObject({ changed: ['all'] })
    expect(await changes({ ...base, backends: [mesh, { ...one, command: ['./other'] }, two] })).toMatchObject({ changed: ['all', 'only'] })
    expect(await changes({ ...base, backends: [mesh, one, { ...two, command: ['./other'] }] })).toMatchObject({ changed: [] })
    expect(await changes({ ...base, backends: [mesh, one, { ...two, enabled: true }] })).toMatchObject({ changed: ['all'] })
  })

  it('reach all when what concerns all changed', async () => {
    expect(await changes({ ...base, p2p: { participation: 'routing' } })).toMatchObject({ changed: ['all', 'only'] })
  })
})

it('takes health, weights and budgets into the options, in milliseconds', async () => {
  const { tunnels } = await declared({
    ...base,
    tunnels: [
      {
        name: 'all',
        port: 1,
        strategy: 'load-balance',
        weights: { mesh: 3 },
        health: { selfCheck: false, probeEvery: '5m', probeTimeout: '10s', failAfter: '500ms', recoverAfter: '1h' },
        budget: { anonymity: 'low', latency: '2s', throughput: 1_000 },
      },
    ],
  })
  expect(tunnels.get('all')?.service.options).toMatchObject({
    weights: { mesh: 3 },
    health: { selfCheck: false, probeEveryMs: 300_000, probeLimitMs: 10_000, failAfterMs: 500, recoverAfterMs: 3_600_000 },
    budget: { anonymity: 'low', latencyMs: 2_000, throughput: 1_000 },
  })
})
