import { BlockList, isIPv4 } from 'node:net'
import { LINK_RANGE, MIN_PREFIX_LENGTH } from './constants.ts'

/** An IPv4 prefix: the number of its first address, and its length. */
export interface Prefix {
  readonly base: number
  readonly length: number
}

/** A place to dial in the mesh. */
export interface MeshPlace {
  readonly host: string
  readonly port: number
}

/** The number of an IPv4 address; undefined when the text is none. */
export function addressNumber(text: string): number | undefined {
  if (!isIPv4(text)) return undefined
  return text.split('.').reduce((number, part) => number * 256 + Number(part), 0)
}

/** The text of an IPv4 address. */
export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}

/** `21.1.0.0/24`; undefined when it is none, or has bits behind its length. */
export function parsePrefix(text: string): Prefix | undefined {
  const parts = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text)
  const base = addressNumber(parts?.[1] ?? '')
  const length = Number(parts?.[2])
  if (base === undefined || !(length <= 32) || base % 2 ** (32 - length) !== 0) return undefined
  return { base, length }
}

/** A prefix as people write it. */
export function prefixText({ base, length }: Prefix): string {
  return `${addressText(base)}/${length}`
}

/** Whether the inner prefix lies within the outer one (or is it). */
export function covers(outer: Prefix, inner: Prefix): boolean {
  return (
    inner.length >= outer.length && Math.floor(inner.base / 2 ** (32 - outer.length)) === Math.floor(outer.base / 2 ** (32 - outer.length))
  )
}

/** Whether two prefixes have an address in common. */
export function overlap(a: Prefix, b: Prefix): boolean {
  return covers(a, b) || covers(b, a)
}

const LINKS = parsePrefix(LINK_RANGE) as Prefix

/** Whether a node may announce the prefix in a mesh of this range. */
export function mayBeAnnounced(prefix: Prefix, range: Prefix): boolean {
  return prefix.length >= MIN_PREFIX_LENGTH && covers(range, prefix) && !overlap(prefix, LINKS)
}

/** Whether services can have this address. */
export function isServiceAddress(host: string, range: Prefix): boolean {
  const base = addressNumber(host)
  if (base === undefined) return false
  const single = { base, length: 32 }
  return covers(range, single) && !covers(LINKS, single)
}

/** `http://21.1.0.1:3000`, `tcp://…`, `21.1.0.1:3000`; undefined when the text is no place in a mesh of this range. */
export function parsePlace(address: string, range: Prefix): MeshPlace | undefined {
  const parts = /^(?:(https?|tcp):\/\/)?(\d{1,3}(?:\.\d{1,3}){3})(?::([1-9]\d{0,4}))?(?:\/.*)?$/i.exec(address)
  if (parts === null) return undefined
  const [, scheme = '', host = '', port] = parts
  const number = Number(port ?? DEFAULT_PORTS[scheme.toLowerCase()] ?? 0)
  return number >= 1 && number <= 65_535 && isServiceAddress(host, range) ? { host, port: number } : undefined
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }

/** The address of a place, as visitors type it. */
export function formatPlace({ host, port }: MeshPlace): string {
  return `http://${host}:${port}`
}

/** A test for addresses of visitors. */
export function sourceFilter(prefixes: readonly Prefix[]): (address: string | undefined) => boolean {
  const list = new BlockList()
  for (const { base, length } of prefixes) list.addSubnet(addressText(base), length, 'ipv4')
  return (address) => address !== undefined && isIPv4(address) && list.check(address)
}
