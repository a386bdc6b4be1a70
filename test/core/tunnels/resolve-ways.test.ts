import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { RecordSource } from '../../../core/powers.ts'
import { newRecord, type ServiceRecord } from '../../../core/records/record.ts'
import { resolveWays, type ResolveWaysOptions } from '../../../core/tunnels/resolve-ways.ts'
import type { Candidate } from '../../../core/tunnels/resolve-target.ts'
import { handleOf, PuppetBackend } from './puppet-backend.ts'

/** A network whose addresses begin with its name. */
class Named extends PuppetBackend {
  override canDial(address: string): boolean {
    return address.startsWith(`${this.name}:`)
  }
}

/** One that knows the service's record. */
class Recording extends Named implements RecordSource {
  record: ServiceRecord | undefined
  failure: Error | undefined
  async findRecord(): Promise<ServiceRecord | undefined> {
    if (this.failure !== undefined) throw this.failure
    return this.record
  }
}

function recordOf(endpoints: readonly string[], more: { weights?: readonly number[]; capabilities?: string[] } = {}): ServiceRecord {
  const serviceKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const { weights, capabilities } = more
  return newRecord(
    { serviceKey, endpoints, ...(weights && { weights }), ...(capabilities && { metadata: { capabilities } }) },
    { now: Date.now() },
  )
}

function stage(record?: ServiceRecord): {
  readonly mesh: Recording
  readonly warnings: string[]
  resolve(addresses: readonly string[], options?: Partial<ResolveWaysOptions>): ReturnType<typeof resolveWays>
} {
  const mesh = new Recording('mesh', { exposes: true })
  mesh.record = record
  const all = [mesh, new Named('onion'), new Named('garlic'), new Named('open', { exposes: true })]
  const candidates = all.map((backend): Candidate => ({ name: backend.name, resolves: true, load: async () => handleOf(backend) }))
  const warnings: string[] = []
  return {
    mesh,
    warnings,
    resolve: (addresses, options = {}) =>
      resolveWays(addresses, {
        candidates: async () => candidates,
        extra: async () => candidates,
        onWarning: (_, message) => warnings.push(message),
        ...options,
      }),
  }
}

describe('ways to a service', () => {
  it('are the addresses that were typed, each once', async () => {
    const { ways, strategy } = await stage().resolve(['onion:a', 'garlic:b', 'onion:a'])
    expect(ways.map(({ handle, address }) => [handle.name, address])).toEqual([
      ['onion', 'onion:a'],
      ['garlic', 'garlic:b'],
    ])
    expect(strategy).toBe('fallback')
  })

  it('are those that the record lists, with their weights, where networks may be used', async () => {
    const record = recordOf(['/ip4/192.0.2.1/tcp/80', 'onion:a', 'elsewhere:b'], { weights: [2, 5, 1] })
    const { ways } = await stage(record).resolve(['mesh:key'])
    expect(ways.map(({ address, weight }) => [address, weight])).toEqual([
      ['mesh:key', 2],
      ['onion:a', 5],
    ])
    const none = await stage(record).resolve(['mesh:key'], { extra: async () => [] })
    expect(none.ways).toHaveLength(1)
  })

  it('that mix what the visitor shows are added by a record only with consent', async () => {
    const record = recordOf(['onion:a', 'open:b'], { capabilities: ['multipath'] })
    const { resolve, warnings } = stage(record)
    const strict = await resolve(['mesh:key'])
    expect(strict.ways.map(({ handle }) => handle.name)).toEqual(['mesh', 'open'])
    expect(strict.strategy).toBe('multipath')
    expect(warnings).toHaveLength(1)
    const consenting = await resolve(['mesh:key'], { allowExposure: true })
    expect(consenting.ways).toHaveLength(3)
  })

  it('a record that joins streams is not believed against the word of the user, nor for a single way', async () => {
    const record = recordOf(['open:b'], { capabilities: ['multipath'] })
    expect((await stage(record).resolve(['mesh:key'], { strategy: 'load-balance' })).strategy).toBe('load-balance')
    expect((await stage(recordOf([], { capabilities: ['multipath'] })).resolve(['mesh:key'])).strategy).toBe('fallback')
  })

  it('do not depend on the record', async () => {
    const { mesh, resolve } = stage()
    mesh.failure = new Error('no record')
    expect((await resolve(['mesh:key'])).ways).toHaveLength(1)
  })

  it('an address that nobody understands is an error', async () => {
    await expect(stage().resolve(['mesh:key', '???'])).rejects.toMatchObject({ code: 'BEAM_ERR_ADDRESS_INVALID' })
  })
})
