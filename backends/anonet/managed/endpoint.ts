import { isIP, isIPv6 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { addressNumber, covers, parsePrefix, type Prefix } from '../mesh-address.ts'

/** Where a friend's WireGuard listens: an IP address (names would have to be asked of the DNS) and a UDP port. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** `203.0.113.7:51820`, `[2001:db8::7]:51820`; undefined when it is none. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const parts = /^(?:\[([0-9a-f:.]{2,45})\]|(\d[\d.]{6,14})):([1-9]\d{0,4})$/i.exec(text)
  const host = parts?.[1] ?? parts?.[2] ?? ''
  const port = Number(parts?.[3])
  return isIP(host) === 0 || isIPv6(host) !== (parts?.[1] !== undefined) || !(port <= 65_535)
    ? undefined
    : { host: host.toLowerCase(), port }
}

/** The text of an endpoint, as WireGuard takes it too. */
export function endpointText({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** RFC 1918, RFC 6598, RFC 3927: reachable from the same network only. */
const LOCAL = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', '127.0.0.0/8'].map(
  (text) => parsePrefix(text) as Prefix,
)

/** Whether hosts elsewhere cannot reach the address. */
export function isLocalOnly(host: string): boolean {
  const base = addressNumber(host)
  if (base !== undefined) return LOCAL.some((prefix) => covers(prefix, { base, length: 32 }))
  return /^(f[cd]|fe[89ab]|::1$)/i.test(host)
}

/** This machine's own addresses that friends may reach, public ones first; loopback only where there is nothing else. */
export function ownHosts(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>, range: Prefix): string[] {
  const all = Object.values(interfaces).flatMap((list) => list ?? [])
  const hosts = all
    .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address) && !inMesh(address, range))
    .map(({ address }) => address)
  return hosts.toSorted((a, b) => Number(isLocalOnly(a)) - Number(isLocalOnly(b)))
}

/** A link must not run through the mesh itself. */
function inMesh(address: string, range: Prefix): boolean {
  const base = addressNumber(address)
  return base !== undefined && covers(range, { base, length: 32 })
}
