import { describe, expect, it } from 'vitest'
import { parseDiscoveryOptions } from '../../../../backends/mesh/discovery/options.ts'
import { isBeamError } from '../../../../core/index.ts'

const failure = (run: () => unknown): { kind: string; text: string } => {
  try {
    run()
  } catch (error) {
    if (isBeamError(error)) return { kind: error.kind, text: `${error.message} ${error.hint ?? ''}` }
  }
  throw new Error('it passed')
}

describe('parseDiscoveryOptions', () => {
  it('takes the public list, multicast and port mapping when nothing is said', () => {
    expect(parseDiscoveryOptions({})).toEqual({ bootstrap: 'public', mdns: 'on', portmap: true })
  })

  it('reads the configuration, in which an empty list means no DHT', () => {
    expect(parseDiscoveryOptions({}, { bootstrap: ['a.example:1', '1.2.3.4@b.example:65535'], mdns: 'loopback', portmap: false })).toEqual({
      bootstrap: ['a.example:1', '1.2.3.4@b.example:65535'],
      mdns: 'loopback',
      portmap: false,
    })
    expect(parseDiscoveryOptions({}, { bootstrap: [] }).bootstrap).toBe('none')
  })

  it('lets the environment win', () => {
    const config = { bootstrap: ['a.example:1'], mdns: 'on', portmap: true } as const
    expect(
      parseDiscoveryOptions({ BEAM_P2P_BOOTSTRAP: ' 127.0.0.1:1 , localhost:2 ', BEAM_P2P_MDNS: 'OFF', BEAM_P2P_PORTMAP: 'off' }, config),
    ).toEqual({ bootstrap: ['127.0.0.1:1', 'localhost:2'], mdns: 'off', portmap: false })
    expect(parseDiscoveryOptions({ BEAM_P2P_BOOTSTRAP: 'None' }, config).bootstrap).toBe('none')
    expect(parseDiscoveryOptions({ BEAM_P2P_MDNS: 'on', BEAM_P2P_PORTMAP: 'ON' }, { mdns: 'off', portmap: false })).toMatchObject({
      mdns: 'on',
      portmap: true,
    })
  })

  it.each([
    ['BEAM_P2P_BOOTSTRAP', '', 'host:port'],
    ['BEAM_P2P_BOOTSTRAP', 'host', '"host" is not host:port'],
    ['BEAM_P2P_BOOTSTRAP', 'good:1,:2', '":2" is not host:port'],
    ['BEAM_P2P_BOOTSTRAP', 'host:0', 'not between 1 and 65535'],
    ['BEAM_P2P_BOOTSTRAP', 'host:65536', 'not between 1 and 65535'],
    ['BEAM_P2P_BOOTSTRAP', '[::1]:1', 'IPv6'],
    ['BEAM_P2P_BOOTSTRAP', 'http://x:1', 'IPv6|host:port'],
    ['BEAM_P2P_BOOTSTRAP', 'none,host:1', '"none" is not host:port'],
    ['BEAM_P2P_BOOTSTRAP', Array(33).fill('a:1').join(), '33 nodes'],
    ['BEAM_P2P_MDNS', 'yes', 'on, off, loopback'],
    ['BEAM_P2P_MDNS', '', 'on, off, loopback'],
    ['BEAM_P2P_PORTMAP', 'loopback', 'on, off'],
  ])('refuses %s=%s and says what is allowed', (name, value, wanted) => {
    const { kind, text } = failure(() => parseDiscoveryOptions({ [name]: value }))
    expect(kind).toBe('config')
    expect(text).toContain(name)
    expect(text).toMatch(new RegExp(wanted))
  })

  it('refuses a bad configuration by the name of its option', () => {
    expect(failure(() => parseDiscoveryOptions({}, { bootstrap: ['x'] })).text).toContain('bootstrap: "x" is not host:port')
  })
})
