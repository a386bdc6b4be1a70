import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { DhtNode, DnsNodes } from '../../../../backends/mesh/discovery/index.ts'
import { listedNodes, parseDnsPlace } from '../../../../backends/mesh/discovery/dns-nodes.ts'
import { formatNodeAddress, parseNodeAddress } from '../../../../backends/mesh/network/node-address.ts'
import { generateIdentity, systemClock } from '../../../../core/index.ts'
import { startDhtTestnet } from '../../../helpers/dht-testnet.ts'
import { startNameServer } from './name-server.ts'
import { srv, txt, type Zone } from './zone.ts'

const NAME = '_beam._tcp.mesh.example'
const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function domain(zone: Zone) {
  const server = await startNameServer(zone)
  open.push(() => server.close())
  return { server, dns: new DnsNodes(parseDnsPlace(`mesh.example@${server.place}`), systemClock) }
}

const node = (): string => formatNodeAddress(generateIdentity().publicKey, { host: '192.0.2.7', port: 4001 })

describe('nodes of a domain', () => {
  it('are listed by SRV and TXT records, in the order of their priority', async () => {
    const address = node()
    const { dns, server } = await domain([
      srv(NAME, { target: 'second.example', port: 2, priority: 20 }),
      srv(NAME, { target: 'first.example', port: 1, priority: 10 }),
      txt(NAME, 'v=1', 'dht=192.0.2.1:49737', `node=${address}`),
      txt(NAME, 'v=2', 'dht=192.0.2.66:1'),
    ])
    const expected = { bootstrap: ['first.example:1', 'second.example:2', '192.0.2.1:49737'], peers: [address] }
    expect(await dns.nodes()).toEqual(expected)
    // The answer is kept for a while.
    const questions = server.asked.length
    expect(await dns.nodes()).toEqual(expected)
    expect(server.asked).toHaveLength(questions)
  })

  it('are none where the domain lists none', async () => {
    const { dns } = await domain([])
    expect(await dns.nodes()).toEqual({ bootstrap: [], peers: [] })
  })

  it('are looked up again after a name server did not answer', async () => {
    const { dns, server } = await domain([srv(NAME, { target: 'first.example', port: 1 })])
    await server.close()
    open.length = 0
    await expect(dns.nodes()).rejects.toThrow(/mesh\.example cannot be looked up in the DNS/)
    await expect(dns.nodes()).rejects.toThrow(/DNS/)
  })

  it('lead into the DHT', async () => {
    const net = await startDhtTestnet(6)
    open.push(() => net.close())
    const { dns } = await domain([txt(NAME, 'v=1', `dht=${net.bootstrap[0]}`)])
    const joined = new DhtNode({ bootstrap: [], moreBootstrap: async () => (await dns.nodes()).bootstrap })
    open.push(() => joined.close())
    expect(await joined.ready(AbortSignal.timeout(10_000))).toBeDefined()
    expect(joined.isLoopback).toBe(true)
  })

  it('are not needed where others are configured', async () => {
    const net = await startDhtTestnet(3)
    open.push(() => net.close())
    const joined = new DhtNode({ bootstrap: net.bootstrap, moreBootstrap: () => Promise.reject(new Error('no name server')) })
    open.push(() => joined.close())
    expect(await joined.ready(AbortSignal.timeout(10_000))).toBeDefined()
  })

  it('and nobody else: a domain that lists none is no reason to take the public ones', async () => {
    const alone = new DhtNode({ bootstrap: [], moreBootstrap: () => Promise.resolve([]) })
    open.push(() => alone.close())
    expect(await alone.ready(AbortSignal.timeout(5_000))).toBeUndefined()
    expect(alone.status()).toEqual({ state: 'unreachable', detail: 'the DNS lists no bootstrap node' })
  })
})

describe('what a domain lists', () => {
  it('is bounded, and passed over where it is damaged', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ name: `n${index}.example`, port: 1, priority: 0, weight: 0 }))
    expect(listedNodes(many, []).bootstrap).toHaveLength(16)
    const bad = [
      { name: '', port: 1, priority: 0, weight: 0 },
      ...[0, 70_000].map((port) => ({ name: 'a.example', port, priority: 0, weight: 0 })),
    ]
    expect(listedNodes(bad, [['v=1', 'node=beam-node:x@h:1', 'dht=[::1]:1']])).toEqual({ bootstrap: [], peers: [] })
  })

  it('is made of whatever the records say', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `dht=${rest}`),
      fc.string().map((rest) => `node=${rest}`),
      fc.constant('v=1'),
    )
    const service = fc.record({ name: fc.string(), port: fc.integer(), priority: fc.integer(), weight: fc.integer() })
    fc.assert(
      fc.property(fc.array(service, { maxLength: 40 }), fc.array(fc.array(text), { maxLength: 40 }), (services, texts) => {
        const { bootstrap, peers } = listedNodes(services, texts)
        expect(bootstrap.length).toBeLessThanOrEqual(16)
        for (const one of bootstrap) expect(one).toMatch(/^[a-z0-9.@_-]+:\d+$/i)
        for (const one of peers) expect(parseNodeAddress(one).key).toHaveLength(32)
      }),
    )
  })
})

describe('the setting', () => {
  it('is a domain, with or without a name server', () => {
    expect(parseDnsPlace('example.org.')).toEqual({ domain: 'example.org' })
    expect(parseDnsPlace('example.org@192.0.2.53')).toEqual({ domain: 'example.org', server: '192.0.2.53' })
    expect(parseDnsPlace('example.org@[::1]:5353')).toEqual({ domain: 'example.org', server: '[::1]:5353' })
  })

  it.each(['', '@', 'a b', '-a.org', 'example.org@host', 'example.org@127.0.0.1:0', 'example.org@127.0.0.1@1', 'x'.repeat(300)])(
    'is refused when it is "%s"',
    (text) => {
      expect(() => parseDnsPlace(text)).toThrow(/dns is/)
    },
  )

  it('makes of any text a place or a refusal', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseDnsPlace(text).domain).not.toBe('')
        } catch (error) {
          expect(error).toMatchObject({ name: 'ConfigError' })
        }
      }),
    )
  })
})
