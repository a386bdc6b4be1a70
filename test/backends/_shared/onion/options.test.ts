import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostAndPort } from '../../../../backends/_shared/onion/config.ts'
import { parseListener } from '../../../../backends/_shared/onion/daemon/own-daemon.ts'
import { neededTransports, rcLines, type RcSetup } from '../../../../backends/_shared/onion/daemon/rc-file.ts'
import { olderThan, parseVersion } from '../../../../backends/_shared/onion/flavour.ts'
import { addOnion, nobodysKey } from '../../../../backends/_shared/onion/service/onion-command.ts'
import { publishOptions } from '../../../../backends/_shared/onion/service/publish-options.ts'
import { TOR } from '../../../../backends/tor/flavour.ts'
import { isBeamError } from '../../../../core/index.ts'

const CLIENT = '5ns5v6bk474moqeaonjjpru3qq5k4hg4lgazgalxazi6spscdq2a'
const ports = (value: unknown): unknown => publishOptions({ ports: value }, {}, 'tor').ports

describe('options of a tunnel', () => {
  it('have the published port behind port 80 by default', () => {
    expect(publishOptions(undefined, {}, 'tor')).toEqual({
      ports: [{ port: 80, target: { kind: 'tunnel' } }],
      clients: [],
      maxStreams: undefined,
      maxStreamsCloseCircuit: false,
      pow: undefined,
      transient: false,
      selfCheck: true,
    })
  })

  it.each([
    [80, { port: 80, target: { kind: 'tunnel' } }],
    ['80', { port: 80, target: { kind: 'tunnel' } }],
    ['80:3000', { port: 80, target: { kind: 'address', address: '127.0.0.1:3000' } }],
    ['22:192.0.2.1:2222', { port: 22, target: { kind: 'address', address: '192.0.2.1:2222' } }],
    ['22:[::1]:2222', { port: 22, target: { kind: 'address', address: '[::1]:2222' } }],
    ['22:localhost:2222', { port: 22, target: { kind: 'address', address: '127.0.0.1:2222' } }],
    [
      { port: 443, target: 8443 },
      { port: 443, target: { kind: 'address', address: '127.0.0.1:8443' } },
    ],
  ])('take %j as a port', (given, expected) => {
    expect(ports([given])).toEqual([expected])
  })

  it.runIf(process.platform !== 'win32')('take a unix socket as target', () => {
    expect(ports(['81:unix:/run/app.sock'])).toEqual([{ port: 81, target: { kind: 'address', address: 'unix:/run/app.sock' } }])
  })

  it.each([
    ['no list', '80'],
    ['an empty list', []],
    ['no port', ['x']],
    ['a port out of range', [70_000]],
    ['a port twice', ['80:1', 80]],
    ['a name, which would be looked up', ['80:example.com:80']],
    ['a relative socket', ['80:unix:app.sock']],
    ['a second command', ['80:unix:/x\r\nSIGNAL SHUTDOWN']],
    ['another option', ['80:unix:/x ClientAuthV3=a']],
    ['a list in it', [[80]]],
  ])('refuse %s', (_, value) => {
    expect(() => ports(value)).toThrow(expect.objectContaining({ kind: 'config' }))
  })

  it.each([
    [{ prots: [80] }, 'no option "prots"'],
    [{ maxStreams: 0 }, 'maxStreams'],
    [{ pow: 'yes' }, 'pow'],
    [{ pow: { rate: -1 } }, 'pow'],
    [{ transient: 1 }, 'transient'],
    [{ clients: ['x'] }, 'public key'],
    [{ nonAnonymous: true }, 'not anonymous'],
  ])('refuse %j', (network, message) => {
    expect(() => publishOptions(network, {}, 'tor')).toThrow(message)
  })

  it('are never anything else than options or a ConfigError', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('ports', 'clients', 'pow', 'maxStreams', 'transient', 'x'), fc.jsonValue()), (network) => {
        try {
          const options = publishOptions(network, {}, 'tor')
          const line = addOnion({
            key: 'k',
            ports: options.ports.map(({ port }) => ({ port, target: 't' })),
            clients: undefined,
            options,
            nonAnonymous: false,
          })
          expect(line).not.toMatch(/[\r\n]/)
        } catch (error) {
          expect(isBeamError(error) && ['config', 'unsupported'].includes(error.kind)).toBe(true)
        }
      }),
    )
  })
})

describe('the command of a service', () => {
  it('says all that was asked for', () => {
    const options = publishOptions({ maxStreams: 5, maxStreamsCloseCircuit: true, pow: { rate: 10, burst: 20 } }, {}, 'tor')
    const line = addOnion({
      key: 'ED25519-V3:x',
      ports: [{ port: 80, target: '127.0.0.1:1' }],
      clients: [CLIENT],
      options,
      nonAnonymous: true,
    })
    expect(line).toBe(
      `ADD_ONION ED25519-V3:x Flags=DiscardPK,MaxStreamsCloseCircuit,NonAnonymous,V3Auth MaxStreams=5 PoWDefensesEnabled=1 PoWQueueRate=10 PoWQueueBurst=20 Port=80,127.0.0.1:1 ClientAuthV3=${CLIENT}`,
    )
  })

  it('knows a key of nobody, another one for each service', () => {
    expect(nobodysKey('a')).toMatch(/^[a-z2-7]{52}$/)
    expect(nobodysKey('a')).not.toBe(nobodysKey('b'))
  })
})

describe('the configuration file', () => {
  const lines = (config: RcSetup['config'], transports = {}): readonly string[] =>
    rcLines({ flavour: TOR, config, folder: '/data/tor "x"', pid: 7, transports })

  it('lets nothing but onion services through, and ends with its owner', () => {
    const text = lines({})
    expect(text).toContain('SocksPort 127.0.0.1:auto ExtendedErrors OnionTrafficOnly')
    expect(text).toContain('__OwningControllerProcess 7')
    expect(text).toContain('DataDirectory "/data/tor \\"x\\""')
  })

  it('has no SOCKS port where services have a single hop', () => {
    const text = lines({ non_anonymous: true })
    expect(text).toContain('SocksPort 0')
    expect(text).toContain('HiddenServiceNonAnonymousMode 1')
    expect(text.filter((line) => line.startsWith('SocksPort'))).toHaveLength(1)
  })

  it('has bridges with their transports, vanguards and lines of the user, these last', () => {
    const bridges = ['obfs4 192.0.2.1:443 ABC cert=x iat-mode=0', 'Bridge 192.0.2.2:443']
    const text = lines(
      { bridges, vanguards: { lite: 'off', layer2: ['A'.repeat(40)] }, torrc: ['# a note', ' ExcludeNodes {xx} '] },
      { obfs4: '/bin/o' },
    )
    expect(text).toEqual(
      expect.arrayContaining([
        'UseBridges 1',
        'Bridge obfs4 192.0.2.1:443 ABC cert=x iat-mode=0',
        'Bridge 192.0.2.2:443',
        'ClientTransportPlugin obfs4 exec /bin/o',
        'VanguardsLiteEnabled 0',
        `HSLayer2Nodes $${'A'.repeat(40)}`,
      ]),
    )
    expect(text.at(-1)).toBe('ExcludeNodes {xx}')
    expect(neededTransports(bridges)).toEqual(['obfs4'])
  })

  it.each([
    [{ torrc: ['DataDirectory /x'] }, 'data_dir'],
    [{ torrc: ['+controlport 9051'] }, 'control_port'],
    [{ torrc: ['HiddenServiceNonAnonymousMode 1'] }, 'non_anonymous'],
    [{ bridges: ['snowflake 192.0.2.3:80 ABC'] }, 'snowflake-client'],
    [{ vanguards: { layer2: ['x'] } }, undefined],
    [{ torrc: ['x'.repeat(5_000)] }, undefined],
  ])('refuses %j', (config, hint) => {
    expect(() => lines(config)).toThrow(
      expect.objectContaining({ kind: 'config', ...(hint === undefined ? {} : { hint: expect.stringContaining(hint) as string }) }),
    )
  })
})

describe('ports and versions', () => {
  it('are read', () => {
    expect(hostAndPort('control_port', 9051)).toEqual({ host: '127.0.0.1', port: 9051 })
    expect(hostAndPort('control_port', '[::1]:9051')).toEqual({ host: '::1', port: 9051 })
    expect(() => hostAndPort('control_port', 'x')).toThrow('control_port')
    expect(() => hostAndPort('control_port', '70000')).toThrow('control_port')
  })

  it('of listeners are what can be dialled', () => {
    expect(parseListener('"127.0.0.1:9050" "unix:/run/tor/socks"')).toEqual({ host: '127.0.0.1', port: 9050 })
    expect(parseListener('"unix:/run/tor/socks"')).toEqual({ path: '/run/tor/socks' })
    expect(parseListener('"0.0.0.0:9050"')).toEqual({ host: '127.0.0.1', port: 9050 })
    expect(parseListener('"[::]:9050"')).toEqual({ host: '::1', port: 9050 })
    expect(parseListener('')).toBeUndefined()
  })

  it('compare by figures', () => {
    expect(parseVersion('0.4.9.11-live')).toEqual([0, 4, 9, 11])
    expect(parseVersion('unknown')).toBeUndefined()
    expect(olderThan([0, 4, 9, 11], [0, 4, 10])).toBe(true)
    expect(olderThan([0, 4, 10], [0, 4, 9, 11])).toBe(false)
    expect(olderThan([0, 4, 8], [0, 4, 8])).toBe(false)
  })
})
