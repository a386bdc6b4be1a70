import { BlockList, isIP, type AddressInfo } from 'node:net'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { tcpEndpoint } from '../../core/index.ts'

/** How far away somebody may be for whom an address is of use. */
export type Reach = 'machine' | 'site' | 'world'

const machine = new BlockList()
machine.addSubnet('127.0.0.0', 8, 'ipv4')
machine.addAddress('::1', 'ipv6')

/** Private, shared, link-local and documentation addresses (RFC 6890), which mean something on one site only, or nothing. */
const site = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
] as const) {
  site.addSubnet(network, prefix, 'ipv4')
}
site.addSubnet('fc00::', 7, 'ipv6')
site.addSubnet('fe80::', 10, 'ipv6')
site.addSubnet('2001:db8::', 32, 'ipv6')

/** Who can use an IP address. */
export function reachOf(address: string): Reach {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (machine.check(address, family)) return 'machine'
  return site.check(address, family) ? 'site' : 'world'
}

/**
 * The addresses of this machine at which a listener can be dialled, the nearest to the public first. `bound` is where it listens:
 * one address, or all (`::`, `0.0.0.0`).
 */
export function localAddresses(bound: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces()): readonly string[] {
  if (bound !== '::' && bound !== '0.0.0.0') return [bound]
  const order: readonly Reach[] = ['world', 'site', 'machine']
  return (
    Object.values(interfaces)
      .flatMap((list) => list ?? [])
      .filter((entry) => bound === '::' || entry.family === 'IPv4')
      // A scoped address (fe80::…%eth0) is of no use on another machine.
      .filter((entry) => !(entry.family === 'IPv6' && entry.scopeid !== 0))
      .map((entry) => entry.address)
      .sort((a, b) => order.indexOf(reachOf(a)) - order.indexOf(reachOf(b)))
  )
}

/** What a record says of where the listener is: addresses that are of use `within` that reach, and tell no more of the network at home than that. */
export function recordEndpoints(listener: AddressInfo, within: Reach): readonly string[] {
  const addresses = localAddresses(listener.address)
  const here = addresses.filter((address) => reachOf(address) === 'machine')
  const allowed: readonly Reach[] = within === 'world' ? ['world'] : ['world', 'site']
  // Who is on this machine needs nothing else than its loopback addresses, unless the listener is not there.
  const chosen = within === 'machine' && here.length > 0 ? here : addresses.filter((address) => allowed.includes(reachOf(address)))
  return chosen.map((address) => tcpEndpoint(address, listener.port))
}

/** For whom a DHT's records are: everybody, the site whose bootstrap nodes it has, or this machine. */
export function reachOfBootstrap(bootstrap: 'public' | 'none' | readonly string[]): Reach {
  if (bootstrap === 'public' || bootstrap === 'none') return 'world'
  const hosts = bootstrap.map((node) => node.replace(/^.*@/, '').replace(/:\d+$/, ''))
  // An empty list: the nodes of a domain, or those that start from this one.
  return hosts.length > 0 && hosts.every((host) => host === 'localhost' || (isIP(host) !== 0 && reachOf(host) === 'machine'))
    ? 'machine'
    : 'site'
}

/** The endpoints of addresses that the user gave as `host:port`. */
export function announcedEndpoints(addresses: readonly string[]): readonly string[] {
  return addresses.map((text) => {
    const at = text.lastIndexOf(':')
    return tcpEndpoint(text.slice(0, at).replace(/^\[|\]$/g, ''), Number(text.slice(at + 1)))
  })
}

/** Where the DHT listens beside a listener for links: it speaks IPv4 only. */
export function dhtHost(bound: string): string {
  if (isIP(bound) === 4) return bound
  return bound === '::1' || bound === 'localhost' ? '127.0.0.1' : '0.0.0.0'
}

/** The IPv4 address at which others see a DHT node that listens there: the nearest to the public. */
export function dhtAddress(bound: string): string {
  return localAddresses(dhtHost(bound))[0] ?? '127.0.0.1'
}
