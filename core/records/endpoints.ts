import { BlockList, isIP, isIPv6 } from 'node:net'
import type { Contact } from '../mesh/discovery.ts'
import type { ServiceRecord } from './record.ts'

/** A contact that is dialled over TCP. */
export type TcpContact = Extract<Contact, { kind: 'tcp' }>

/** Addresses that nobody can be reached at: a record that names them is wrong or wants packets sent to a crowd. */
const nobody = new BlockList()
nobody.addSubnet('0.0.0.0', 8, 'ipv4')
nobody.addSubnet('224.0.0.0', 3, 'ipv4')
nobody.addAddress('::', 'ipv6')
nobody.addSubnet('ff00::', 8, 'ipv6')

/** `/ip4/192.0.2.1/tcp/80`, `/ip6/2001:db8::1/tcp/80` or `/dns/example.org/tcp/80` (https://github.com/multiformats/multiaddr). */
export function tcpEndpoint(host: string, port: number): string {
  const family = isIP(host)
  return `/${family === 0 ? 'dns' : `ip${family}`}/${host}/tcp/${port}`
}

/** The TCP contact of an endpoint; undefined when it is of another kind (a network's address, other protocols) or points to nobody. */
export function parseTcpEndpoint(endpoint: string): TcpContact | undefined {
  const match = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]{1,253})\/tcp\/([1-9]\d{0,4})$/.exec(endpoint)
  if (match === null) return undefined
  const [, kind = '', host = '', portText] = match
  const port = Number(portText)
  if (port > 65_535) return undefined
  if (kind.startsWith('dns')) return isIP(host) === 0 && /^[a-z0-9_.-]+$/i.test(host) ? { kind: 'tcp', host, port } : undefined
  const family = isIP(host)
  // A scope (`fe80::1%eth0`) means something on one machine only.
  if (family !== (kind === 'ip4' ? 4 : 6) || host.includes('%')) return undefined
  return nobody.check(host, isIPv6(host) ? 'ipv6' : 'ipv4') ? undefined : { kind: 'tcp', host, port }
}

/** Where a record says the service can be dialled directly, in its order. Endpoints of other kinds are left out. */
export function contacts(record: ServiceRecord): readonly TcpContact[] {
  return record.endpoints.flatMap((endpoint) => parseTcpEndpoint(endpoint) ?? [])
}
