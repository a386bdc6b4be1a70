import { BlockList, isIP, isIPv6 } from 'node:net'
import { decodeKey, encodeKey } from '../identity/address.ts'
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

/** `/ip4/192.0.2.1/tcp/80/beam-relay/<node key>`: the service is reached through the relay that holds this node key there. */
export function relayEndpoint(host: string, port: number, nodeKey: Uint8Array): string {
  return `${tcpEndpoint(host, port)}/beam-relay/${encodeKey('node', nodeKey)}`
}

/** A contact through a relay. */
export type RelayContact = Extract<Contact, { kind: 'relay' }>

/** The relay of an endpoint; undefined when it is of another kind. */
export function parseRelayEndpoint(endpoint: string): RelayContact | undefined {
  const match = /^(.+)\/beam-relay\/([a-z2-7]{56})$/.exec(endpoint)
  const place = parseTcpEndpoint(match?.[1] ?? '')
  const key = decodeKey('node', match?.[2] ?? '')
  return place === undefined || key === undefined ? undefined : { kind: 'relay', host: place.host, port: place.port, key }
}

/** The relays through which a record says the service is reached. */
export function relays(record: ServiceRecord): readonly RelayContact[] {
  return record.endpoints.flatMap((endpoint) => parseRelayEndpoint(endpoint) ?? [])
}

/** Whether an address is one that a single machine can have. */
export function isReachableHost(host: string): boolean {
  return isIP(host) !== 0 && !nobody.check(host, isIPv6(host) ? 'ipv6' : 'ipv4')
}
