import { describe, expect, it } from 'vitest'
import { PluginError, UnsupportedError } from '../../../core/errors.ts'
import { MemoryNetwork } from '../../../core/testing/memory-network.ts'
import { domainOf, resolveTarget, type Candidate } from '../../../core/tunnels/resolve-target.ts'
import { handleOf, PuppetBackend } from './puppet-backend.ts'

const candidate = (backend: PuppetBackend, resolves = true): Candidate => ({
  name: backend.name,
  resolves,
  load: async () => handleOf(backend),
})

/** A backend that has a domain but does not understand addresses of memory networks. */
class Deaf extends PuppetBackend {
  asked = 0
  override canDial(): boolean {
    return false
  }
  override resolveDomain(...args: Parameters<PuppetBackend['resolveDomain']>): Promise<string> {
    this.asked += 1
    return super.resolveDomain(...args)
  }
}

async function holder(domain: string, name = 'first'): Promise<{ backend: PuppetBackend; address: string }> {
  const backend = new PuppetBackend(name, { network: new MemoryNetwork() })
  const { endpoints } = await backend.startTunnel(1, { name: 'web', domain })
  return { backend, address: endpoints[0]?.address ?? '' }
}

describe('an address', () => {
  it('goes to the first backend that understands it; later ones are not even loaded', async () => {
    const backend = new PuppetBackend('first')
    const late: Candidate = { name: 'late', resolves: true, load: () => Promise.reject(new Error('must not be loaded')) }
    const target = await resolveTarget('memory://web', { candidates: [candidate(new Deaf('deaf')), candidate(backend), late] })
    expect(target).toMatchObject({ address: 'memory://web', handle: { name: 'first' } })
  })

  it('passes over a backend that does not load', async () => {
    const broken: Candidate = { name: 'broken', resolves: true, load: () => Promise.reject(new PluginError('broken')) }
    expect((await resolveTarget('memory://web', { candidates: [broken, candidate(new PuppetBackend('first'))] })).handle.name).toBe('first')
    await expect(resolveTarget('memory://web', { candidates: [broken] })).rejects.toMatchObject({ code: 'BEAM_ERR_PLUGIN' })
  })

  it('that nobody understands is refused, with the names of who was asked', async () => {
    await expect(resolveTarget('what://ever', { candidates: [candidate(new Deaf('deaf'))] })).rejects.toMatchObject({
      code: 'BEAM_ERR_ADDRESS_INVALID',
      hint: expect.stringContaining('deaf') as string,
    })
  })
})

describe('a name', () => {
  it.each(['myapp.local', 'http://myapp.local', 'https://MyApp.local:8080/path?x'])('%s is looked up', async (text) => {
    const { backend, address } = await holder('myapp.local')
    expect(await resolveTarget(text, { candidates: [candidate(backend)] })).toMatchObject({ address })
  })

  it('comes with what the network has to say of the answer', async () => {
    const { backend, address } = await holder('myapp.local')
    const warnings: string[] = []
    const doubtful = new Deaf('doubtful')
    doubtful.resolveDomain = async (_, { onWarning }) => {
      onWarning?.('BEAM_WARN_NAME_UNVERIFIED', 'nobody vouches for it')
      return address
    }
    const candidates = [candidate(doubtful), candidate(backend)]
    await resolveTarget('myapp.local', { candidates, onWarning: (code) => warnings.push(code) })
    expect(warnings).toEqual(['BEAM_WARN_NAME_UNVERIFIED'])
  })

  it('is asked for on enabled networks only, one after another', async () => {
    const { backend, address } = await holder('myapp.local')
    const [disabled, empty] = [new Deaf('disabled'), new Deaf('empty')]
    const target = await resolveTarget('myapp.local', { candidates: [candidate(disabled, false), candidate(empty), candidate(backend)] })
    expect(target.address).toBe(address)
    expect([disabled.asked, empty.asked]).toEqual([0, 1])
  })

  it('is not asked for on a network that shows the visitor after one that hides it', async () => {
    const { backend } = await holder('myapp.local')
    backend.capabilities = { exposesVisitorIp: true }
    const hiding = new Deaf('hiding')
    const candidates = [candidate(hiding), candidate(backend)]
    await expect(resolveTarget('myapp.local', { candidates })).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
    expect((await resolveTarget('myapp.local', { candidates, allowExposure: true })).handle.name).toBe('first')
  })

  it('that nobody holds, or that nobody can look up, is an error', async () => {
    await expect(resolveTarget('nobody.local', { candidates: [candidate(new PuppetBackend('first'))] })).rejects.toMatchObject({
      code: 'BEAM_ERR_NOT_FOUND',
    })
    const mute = new PuppetBackend('mute')
    mute.capabilities = { supportsDomains: false }
    await expect(resolveTarget('nobody.local', { candidates: [candidate(mute)] })).rejects.toBeInstanceOf(UnsupportedError)
  })
})

it.each(['localhost', '127.0.0.1', 'memory://web', '', 'a..b', 'user@host.local', '-a.local', `${'a'.repeat(64)}.local`])(
  '%s is no domain',
  (text) => {
    expect(domainOf(text)).toBeUndefined()
  },
)
