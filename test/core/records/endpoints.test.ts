import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contacts, parseTcpEndpoint, tcpEndpoint } from '../../../core/index.ts'
import { sample } from './arbitrary-record.ts'

describe('contacts', () => {
  it('are the TCP endpoints of a record in its order; what is not known is left out', () => {
    const endpoints = [
      '/ip6/2001:db8::1/tcp/443',
      'http://example.onion',
      '/ip4/192.0.2.1/udp/4001/quic-v1',
      '/dns/example.org/tcp/80',
      '/dns4/example.org/tcp/81',
      '/ip4/127.0.0.1/tcp/65535',
      '/ip4/192.0.2.1/tcp/443/tls/ws',
    ]
    expect(contacts({ ...sample, endpoints })).toEqual([
      { kind: 'tcp', host: '2001:db8::1', port: 443 },
      { kind: 'tcp', host: 'example.org', port: 80 },
      { kind: 'tcp', host: 'example.org', port: 81 },
      { kind: 'tcp', host: '127.0.0.1', port: 65_535 },
    ])
  })
})

describe('parseTcpEndpoint', () => {
  it('reads what tcpEndpoint writes', () => {
    const ipv4 = fc.tuple(fc.integer({ min: 1, max: 223 }), fc.ipV4()).map(([first, rest]) => rest.replace(/^\d+/, String(first)))
    const ipv6 = fc
      .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 7, maxLength: 7 })
      .map((rest) => ['2001', ...rest.map((n) => n.toString(16))].join(':'))
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6, fc.domain()), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        expect(parseTcpEndpoint(tcpEndpoint(host, port))).toEqual({ kind: 'tcp', host, port })
      }),
    )
  })

  it.each([
    '/ip4/0.0.0.0/tcp/80',
    '/ip4/224.0.0.1/tcp/80',
    '/ip4/255.255.255.255/tcp/80',
    '/ip6/::/tcp/80',
    '/ip6/ff02::1/tcp/80',
    '/ip6/::ffff:224.0.0.1/tcp/80',
    '/ip6/fe80::1%eth0/tcp/80',
    '/ip4/192.0.2.1/tcp/0',
    '/ip4/192.0.2.1/tcp/65536',
    '/ip4/192.0.2.1/tcp/080',
    '/ip4/192.0.2/tcp/80',
    '/ip4/2001:db8::1/tcp/80',
    '/ip6/192.0.2.1/tcp/80',
    '/dns/192.0.2.1/tcp/80',
    '/dns/exa mple/tcp/80',
    'ip4/192.0.2.1/tcp/80',
    '',
  ])('ignores %j', (endpoint) => {
    expect(parseTcpEndpoint(endpoint)).toBeUndefined()
  })

  it('makes of any text a contact or nothing', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseTcpEndpoint(`/ip6/${text}/tcp/1`)))
  })
})
