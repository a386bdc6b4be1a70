import { isIPv4, isIPv6 } from 'node:net'
import { BlockList } from 'node:net'

/** Addresses that an attacker cannot have a million of: this machine's own and its local network's. */
const local = new BlockList()
for (const [net, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  local.addSubnet(net, bits, 'ipv4')
}
local.addAddress('::1', 'ipv6')
local.addSubnet('fc00::', 7, 'ipv6')
local.addSubnet('fe80::', 10, 'ipv6')

/** Whether an address belongs to this machine or its local network. */
export function isLocal(host: string): boolean {
  if (isIPv4(host)) return local.check(host, 'ipv4')
  return isIPv6(host) && local.check(host, 'ipv6')
}

/**
 * The network that an address belongs to, as far as one holder can be expected to have it: /24 for IPv4, /48 for IPv6 (RFC 6177 section 2:
 * what a site gets). undefined for local addresses, which nobody can have a crowd of, and for what is no address.
 */
export function prefixOf(host: string): string | undefined {
  if (isLocal(host)) return undefined
  if (isIPv4(host)) return host.split('.').slice(0, 3).join('.')
  if (!isIPv6(host)) return undefined
  return groupsOf(host).slice(0, 3).join(':')
}

/** The eight groups of an IPv6 address. */
function groupsOf(host: string): string[] {
  const [head = '', tail] = (host.split('%')[0] ?? '').toLowerCase().split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const filled = [
    ...first,
    ...Array.from({ length: tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length) }, () => '0'),
    ...last,
  ]
  return filled.map((group) => group.replace(/^0+(?=.)/, ''))
}
