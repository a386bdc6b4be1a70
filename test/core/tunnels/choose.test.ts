import { describe, expect, it } from 'vitest'
import type { BackendCapabilities } from '../../../core/capabilities.ts'
import { byLatency, designLatency, isBudget, misfits } from '../../../core/tunnels/choose.ts'
import { planTunnel, type PlanSetup } from '../../../core/tunnels/plan.ts'

const base: BackendCapabilities = {
  supportsDomains: false,
  supportsIPv6: false,
  maxThroughput: Infinity,
  anonymityLevel: 'none',
  censorshipResistance: 'low',
  delivery: 'stream',
  exposesPublisherIp: true,
  exposesVisitorIp: true,
  persistentAddresses: true,
  accessControl: true,
  relays: 0,
}
const hides = { exposesPublisherIp: false, exposesVisitorIp: false }
const direct = { name: 'direct', capabilities: base }
const onion = {
  name: 'onion',
  capabilities: { ...base, ...hides, anonymityLevel: 'medium', censorshipResistance: 'high', relays: 6 } as BackendCapabilities,
}
const mix = {
  name: 'mix',
  capabilities: { ...base, ...hides, anonymityLevel: 'high', relays: 5, holdMs: 250, maxThroughput: 50_000 } as BackendCapabilities,
}
const silent = { name: 'silent', capabilities: { ...base, ...hides, anonymityLevel: 'low' } as BackendCapabilities }
delete (silent.capabilities as { relays?: number }).relays

describe('the latency of a design', () => {
  it('is a way across the Internet for each hop, and twice what is held back', () => {
    expect(designLatency(direct.capabilities)?.boundMs).toBe(200)
    expect(designLatency(onion.capabilities)?.boundMs).toBe(1_400)
    expect(designLatency(mix.capabilities)?.boundMs).toBe(1_700)
    expect(designLatency(mix.capabilities)?.source).toContain('held back 250 ms')
  })

  it('is not made up where none is declared', () => {
    expect(designLatency(silent.capabilities)).toBeUndefined()
    expect(misfits(silent.capabilities, { latencyMs: 60_000 })).toEqual(['it declares no latency'])
  })

  it('orders networks, the undeclared last, equal ones as they were', () => {
    const again = { ...onion, name: 'onion2' }
    expect(byLatency([silent, mix, again, onion, direct]).map(({ name }) => name)).toEqual(['direct', 'onion2', 'onion', 'mix', 'silent'])
  })
})

describe('a budget', () => {
  it('of anonymity takes networks that offer as much, and hide this machine', () => {
    expect(misfits(onion.capabilities, { anonymity: 'medium' })).toEqual([])
    expect(misfits(onion.capabilities, { anonymity: 'high' })).toEqual(['its anonymity is medium, wanted is high'])
    expect(misfits({ ...onion.capabilities, exposesPublisherIp: true }, { anonymity: 'low' })).toEqual([
      'it shows the IP address of this machine',
    ])
  })

  it('of time, bytes and resistance names every reason', () => {
    expect(misfits(mix.capabilities, { latencyMs: 500, throughput: 100_000, censorshipResistance: 'medium' })).toHaveLength(3)
    expect(misfits(direct.capabilities, { latencyMs: 200, throughput: 1e9, censorshipResistance: 'low' })).toEqual([])
  })

  it('of nothing is none', () => {
    expect(isBudget({})).toBe(false)
    expect(isBudget({ latencyMs: 1 })).toBe(true)
    expect(misfits(direct.capabilities, {})).toEqual([])
  })
})

describe('a plan', () => {
  const plan = (setup: Partial<PlanSetup>) => planTunnel({ candidates: [onion, mix, direct], ...setup })
  const uses = (setup: Partial<PlanSetup>): string[] => plan(setup).rows.map(({ backend, use }) => `${backend} ${use}`)

  it('says who is used first, who stands by and who is not used, and why', () => {
    expect(uses({ strategy: 'fallback' })).toEqual(['onion first', 'mix standby', 'direct no'])
    const { rows, chosen, reveals } = plan({ strategy: 'fallback' })
    expect(rows[1]?.reasons).toEqual(['used while onion is out of order'])
    expect(rows[2]?.reasons[0]).toContain('--allow-exposure')
    expect(chosen).toEqual(['onion', 'mix'])
    expect(reveals).toEqual(['onion: onion hides the IP address of this machine.', 'mix: mix hides the IP address of this machine.'])
  })

  it('uses all at once where the strategy does, with consent', () => {
    expect(uses({ strategy: 'load-balance', allowExposure: true })).toEqual(['onion at-once', 'mix at-once', 'direct at-once'])
    expect(uses({ strategy: 'multipath', candidates: [onion, mix] })).toEqual(['onion at-once', 'mix at-once'])
  })

  it('tells a refusal instead of throwing it', () => {
    const { chosen, refused, rows } = plan({ strategy: 'load-balance' })
    expect(chosen).toEqual([])
    expect(refused).toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
    expect(rows.map(({ use }) => use)).toEqual(['no', 'no', 'no'])
    expect(plan({ budget: { latencyMs: 1 } }).refused).toMatchObject({ code: 'BEAM_ERR_UNSUPPORTED' })
  })

  it('follows the budget before the policy', () => {
    expect(uses({ budget: { anonymity: 'high' } })).toEqual(['onion no', 'mix first', 'direct no'])
    expect(uses({ budget: { latencyMs: 300 } })).toEqual(['onion no', 'mix no', 'direct first'])
    expect(plan({ budget: { anonymity: 'low' } }).rows[0]?.reasons).toEqual(['first in the order of preference', 'it fits the budget'])
  })

  it('leaves out who cannot keep visitors out, who carries sites only, and of whom nothing is known', () => {
    const open = { ...onion, name: 'open', capabilities: { ...onion.capabilities, accessControl: false } }
    const sites = { ...onion, name: 'sites', capabilities: { ...onion.capabilities, delivery: 'site' as const } }
    const candidates = [open, sites, { name: 'unknown', problem: 'it tells when it runs' }, onion]
    const { rows, chosen, warnings } = plan({ candidates, access: { secret: 'word' }, domain: 'a.local' })
    expect(chosen).toEqual(['onion'])
    expect(rows.map(({ reasons }) => reasons[0])).toEqual([
      'it cannot restrict who connects',
      'it publishes copies of sites, no live service',
      'it tells when it runs',
      'first in the order of preference',
    ])
    expect(warnings.join(' ')).toContain('has no domains')
  })
})
