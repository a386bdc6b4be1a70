import { describe, expect, it } from 'vitest'
import { i2pdConfig } from '../../../../backends/i2p/router/i2pd-config.ts'

const read = (text: string): Map<string, string> => {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' = ', 2) as [string, string])
  // i2pd refuses a file in which an option stands twice.
  expect(new Set(lines.map(([name]) => name)).size).toBe(lines.length)
  return new Map(lines)
}

describe('the configuration of a private router', () => {
  it('offers SAM on loopback and nothing else, and keeps the address book that i2pd 2.45 crashes without', () => {
    const options = read(i2pdConfig({ folder: '/data', samPort: 4000, reseed: true, options: {} }))
    expect(options.get('sam.address')).toBe('127.0.0.1')
    expect(options.get('sam.port')).toBe('4000')
    for (const part of ['http', 'httpproxy', 'socksproxy', 'i2cp', 'i2pcontrol', 'bob', 'upnp', 'nettime'])
      expect(options.get(`${part}.enabled`)).toBe('false')
    expect(options.get('addressbook.enabled')).toBe('true')
    expect([...options.keys()].filter((name) => name.startsWith('reseed'))).toEqual([])
  })
  it('names nobody outside when reseeding is off', () => {
    const text = i2pdConfig({ folder: '/data', samPort: 4000, reseed: false, options: {} })
    const options = read(text.replaceAll(' = \n', ' = -\n'))
    expect(options.get('reseed.urls')).toBe('-')
    expect(options.get('reseed.threshold')).toBe('0')
    expect(options.get('addressbook.defaulturl')).toBe('http://127.0.0.1/none')
  })
  it('takes further options, which win', () => {
    const options = read(i2pdConfig({ folder: '/data', samPort: 4000, reseed: true, options: { bandwidth: 'X', loglevel: 'warn' } }))
    expect(options.get('bandwidth')).toBe('X')
    expect(options.get('loglevel')).toBe('warn')
  })
})
