import { createHash } from 'node:crypto'
import { decodeKey, encodeKey, KEY_TEXT_LENGTH, nameTopic } from '../../../core/index.ts'

/** The service type (RFC 6763 section 7), below which all our names stand. */
const SERVICE = '_beam._tcp.local'
/** Letters of a label: 128 bits of the hash, so that nobody finds a second key or name with the same label. */
const LABEL_LETTERS = 32
/** Version of what the TXT records say. */
const VERSION = 'v=1'

/** The DNS name under which a service is asked for. A hash: who does not know the key cannot tell which service is meant. */
export function serviceRecordName(serviceKey: Uint8Array): string {
  const hash = createHash('sha256').update('beam mdns key\0').update(serviceKey).digest('hex')
  return `${hash.slice(0, LABEL_LETTERS)}.${SERVICE}`
}

/**
 * The DNS name under which the claimants of a domain are asked for, in any spelling.
 * @throws ConfigError when it is no domain.
 */
export function claimRecordName(domain: string): string {
  return `${nameTopic(domain).toString('hex').slice(0, LABEL_LETTERS)}._claim.${SERVICE}`
}

/** What the record of a service says: its port. The address is the one that the answer comes from. */
export function serviceText(port: number): string[] {
  return [VERSION, `port=${port}`]
}

/** The port in the text of a service record; undefined when it is none of ours. */
export function parseServiceText(data: unknown): number | undefined {
  const port = field(data, 'port')
  return port !== undefined && /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535 ? Number(port) : undefined
}

/** What the record of a claim says: the service key. */
export function claimText(serviceKey: Uint8Array): string[] {
  return [VERSION, `key=${encodeKey('service', serviceKey)}`]
}

/** The service key in the text of a claim; undefined when it is none of ours. */
export function parseClaimText(data: unknown): Uint8Array | undefined {
  const key = field(data, 'key')
  return key?.length === KEY_TEXT_LENGTH ? decodeKey('service', key) : undefined
}

function field(data: unknown, name: string): string | undefined {
  // dns-packet gives the strings of a TXT record as buffers, a single one sometimes alone.
  const parts: readonly unknown[] = Array.isArray(data) ? data : [data]
  const strings = parts.flatMap((part) => (Buffer.isBuffer(part) ? part.toString('latin1') : typeof part === 'string' ? part : []))
  if (!strings.includes(VERSION)) return undefined
  return strings.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1)
}
