import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { reachOf, reachOfBootstrap, recordEndpoints } from '../../../backends/mesh/local-addresses.ts'

const listening = (address: string): AddressInfo => ({ address, family: address.includes(':') ? 'IPv6' : 'IPv4', port: 41_000 })

describe('what a record says of where its listener is', () => {
  it('is the loopback interface alone, when only this machine reads it', () => {
    const endpoints = recordEndpoints(listening('0.0.0.0'), 'machine')
    expect(endpoints).toContain('/ip4/127.0.0.1/tcp/41000')
    expect(endpoints.every((endpoint) => endpoint.startsWith('/ip4/127.'))).toBe(true)
    // A listener elsewhere is said to be where it is.
    expect(recordEndpoints(listening('192.168.1.20'), 'machine')).toEqual(['/ip4/192.168.1.20/tcp/41000'])
  })

  it('tells a wider circle no address that is of no use to it', () => {
    expect(recordEndpoints(listening('127.0.0.1'), 'site')).toEqual([])
    expect(recordEndpoints(listening('192.168.1.20'), 'site')).toEqual(['/ip4/192.168.1.20/tcp/41000'])
    expect(recordEndpoints(listening('192.168.1.20'), 'world')).toEqual([])
    expect(recordEndpoints(listening('9.9.9.9'), 'world')).toEqual(['/ip4/9.9.9.9/tcp/41000'])
  })
})

describe('how far an address reaches', () => {
  it.each([
    ['127.9.9.9', 'machine'],
    ['::1', 'machine'],
    ['10.1.2.3', 'site'],
    ['100.100.1.1', 'site'],
    ['fe80::1', 'site'],
    ['fd12::1', 'site'],
    ['9.9.9.9', 'world'],
    ['2600::1', 'world'],
  ])('%s: %s', (address, reach) => expect(reachOf(address)).toBe(reach))

  it('follows from who the bootstrap nodes are', () => {
    expect(reachOfBootstrap('public')).toBe('world')
    expect(reachOfBootstrap(['127.0.0.1:49737', 'localhost:49738'])).toBe('machine')
    expect(reachOfBootstrap(['127.0.0.1:49737', '10.0.0.5:49737'])).toBe('site')
  })
})
