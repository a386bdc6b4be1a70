import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BackendCapabilities } from '../../../core/capabilities.ts'
import { planExposure, revealedBy, withReveals, type ExposureCandidate } from '../../../core/tunnels/exposure.ts'

const capabilities: BackendCapabilities = {
  supportsDomains: false,
  supportsIPv6: false,
  maxThroughput: Infinity,
  anonymityLevel: 'none',
  censorshipResistance: 'none',
  delivery: 'stream',
  exposesPublisherIp: true,
  exposesVisitorIp: true,
  persistentAddresses: true,
  accessControl: true,
}
const open = (name: string): ExposureCandidate => ({ name, capabilities })
const hidden = (name: string): ExposureCandidate => ({
  name,
  capabilities: { ...capabilities, exposesPublisherIp: false, exposesVisitorIp: false },
})
const plan = (chain: ExposureCandidate[], options: { atOnce?: boolean; allowExposure?: boolean } = {}) =>
  planExposure(chain, { end: 'publisher', atOnce: false, allowExposure: false, ...options })

describe('a chain used one after another', () => {
  it('stops above the step from a hiding to an exposing network and says why', () => {
    const { chain, leftOut } = plan([hidden('fog'), open('street'), hidden('mist')])
    expect(chain).toEqual(['fog'])
    expect(leftOut.map(({ backend }) => backend)).toEqual(['street', 'mist'])
    expect(leftOut[0]?.reason).toContain('fog hides')
    expect(leftOut[1]?.reason).toContain('behind street')
  })

  it('may go from an exposing to a hiding network, but not back', () => {
    const { chain, leftOut, mayMove } = plan([open('street'), hidden('fog')])
    expect(chain).toEqual(['street', 'fog'])
    expect(leftOut).toEqual([])
    expect(mayMove('street', 'fog')).toBe(true)
    expect(mayMove('fog', 'street')).toBe(false)
  })

  it('goes anywhere with consent', () => {
    const { chain, mayMove } = plan([hidden('fog'), open('street')], { allowExposure: true })
    expect(chain).toEqual(['fog', 'street'])
    expect(mayMove('fog', 'street')).toBe(true)
  })

  it('never holds an exposing network after a hiding one without consent, whatever the chain', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 8 }), (kinds) => {
        const all = kinds.map((hides, index) => (hides ? hidden(`h${index}`) : open(`o${index}`)))
        const { chain, leftOut, mayMove } = plan(all)
        expect([...chain, ...leftOut.map(({ backend }) => backend)]).toEqual(all.map(({ name }) => name))
        for (const [index, name] of chain.entries()) {
          if (name.startsWith('h')) expect(chain.slice(index).every((later) => later.startsWith('h') && mayMove(name, later))).toBe(true)
        }
      }),
    )
  })
})

describe('networks used at once', () => {
  it('refuses a mixture and names both sides', () => {
    expect(() => plan([open('street'), hidden('fog')], { atOnce: true })).toThrowError(
      expect.objectContaining({
        code: 'BEAM_ERR_EXPOSURE',
        message: expect.stringMatching(/street.*fog/) as string,
        hint: expect.stringContaining('--allow-exposure') as string,
      }),
    )
  })

  it('takes networks of one kind, and a mixture with consent', () => {
    expect(plan([hidden('fog'), hidden('mist')], { atOnce: true }).chain).toEqual(['fog', 'mist'])
    expect(plan([open('street'), hidden('fog')], { atOnce: true, allowExposure: true }).chain).toEqual(['street', 'fog'])
  })
})

it('lets a record list side by side what may be known together only', () => {
  const { mayList } = plan([open('street'), hidden('fog')])
  expect([mayList('street', 'fog'), mayList('fog', 'street')]).toEqual([false, false])
  expect(plan([open('street'), open('road')]).mayList('street', 'road')).toBe(true)
  expect(plan([hidden('fog'), hidden('mist')]).mayList('fog', 'mist')).toBe(true)
  expect(plan([open('street'), hidden('fog')], { allowExposure: true }).mayList('street', 'fog')).toBe(true)
})

it('asks about the end in question only', () => {
  const oneSided = { name: 'veil', capabilities: { ...capabilities, exposesVisitorIp: false } }
  expect(planExposure([oneSided, open('street')], { end: 'publisher', atOnce: false, allowExposure: false }).chain).toEqual([
    'veil',
    'street',
  ])
  expect(planExposure([oneSided, open('street')], { end: 'visitor', atOnce: false, allowExposure: false }).chain).toEqual(['veil'])
})

it('says what a network reveals, also when its backend is silent', () => {
  expect(revealedBy('publisher', open('street'))[0]).toContain('can learn the IP address')
  expect(revealedBy('visitor', hidden('fog'))[0]).toContain('hides')
  const endpoint = { backend: 'fog', address: 'fog://x', state: 'active', reveals: [] } as const
  expect(withReveals(endpoint, hidden('fog')).reveals).toEqual(['fog hides the IP address of this machine.'])
  expect(withReveals({ ...endpoint, reveals: ['Nothing.'] }, hidden('fog')).reveals).toEqual(['Nothing.'])
})
