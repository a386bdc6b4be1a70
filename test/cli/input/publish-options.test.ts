import { describe, expect, it } from 'vitest'
import { publishOptions } from '../../../cli/input/publish-options.ts'

describe('publishOptions', () => {
  it('asks for nothing when nothing was said', () => {
    expect(publishOptions({ networks: [] }, undefined, 2)).toEqual([{}, {}])
  })

  it('gives each service its own name and domain, in order', () => {
    const options = publishOptions({ networks: [], name: ['web', 'api'], domain: ['a.local', 'b.local'] }, undefined, 2)
    expect(options).toEqual([
      { name: 'web', domain: 'a.local' },
      { name: 'api', domain: 'b.local' },
    ])
  })

  it('wants a name for each service or none', () => {
    expect(() => publishOptions({ networks: [], name: ['web'] }, undefined, 2)).toThrow('--name was given once for 2 services')
    expect(() => publishOptions({ networks: [], domain: ['a', 'b'] }, undefined, 1)).toThrow('--domain was given 2 times for one service')
  })

  it('puts shorthands behind --backends, each network once', () => {
    expect(publishOptions({ networks: ['tor', 'nym'], backends: ['i2p', ' tor'] }, undefined, 1)).toEqual([
      { backends: ['i2p', 'tor', 'nym'] },
    ])
    expect(() => publishOptions({ networks: [], backends: ['tor', ''] }, undefined, 1)).toThrow('empty name')
  })

  it('takes --fallback for a strategy, and refuses a contradiction', () => {
    expect(publishOptions({ networks: [], fallback: true }, undefined, 1)).toEqual([{ strategy: 'fallback' }])
    expect(publishOptions({ networks: [], strategy: 'multipath' }, undefined, 1)).toEqual([{ strategy: 'multipath' }])
    expect(() => publishOptions({ networks: [], fallback: true, strategy: 'priority' }, undefined, 1)).toThrow('contradict')
  })

  it('restricts access to keys and a secret word', () => {
    expect(publishOptions({ networks: [], allow: ['k1', 'k2'] }, 'word', 1)).toEqual([{ access: { allow: ['k1', 'k2'], secret: 'word' } }])
    expect(publishOptions({ networks: [] }, 'word', 1)).toEqual([{ access: { secret: 'word' } }])
  })

  it('passes the switches on', () => {
    expect(
      publishOptions({ networks: [], allowExposure: true, requireService: true, network: { mesh: { lan: true } } }, undefined, 1),
    ).toEqual([{ allowExposure: true, requireService: true, network: { mesh: { lan: true } } }])
  })
})
