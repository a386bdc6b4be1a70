/** The messages of SOCKS5 (RFC 1928) with user and password (RFC 1929), without I/O. */

/** RFC 1928 section 3 and 4. */
const VERSION = 5
const CONNECT = 1
const DOMAIN_NAME = 3
const IPV4 = 1
const IPV6 = 4
export const METHOD_PASSWORD = 2
/** RFC 1929 section 2. */
const PASSWORD_VERSION = 1
/** Longest user, password or host name: their lengths are single bytes. */
const MAX_TEXT_BYTES = 255

/** Who asks: Tor builds circuits of their own for different pairs (`IsolateSOCKSAuth`). */
export interface SocksUser {
  readonly user: string
  readonly password: string
}

/** The first message: user and password is the only method that we offer, so that isolation cannot be dropped. */
export function greeting(): Buffer {
  return Buffer.of(VERSION, 1, METHOD_PASSWORD)
}

/** User and password. */
export function credentials({ user, password }: SocksUser): Buffer {
  return Buffer.concat([Buffer.of(PASSWORD_VERSION), lengthAnd(user), lengthAnd(password)])
}

/** A request for a stream to a host by name: nothing is ever looked up here. */
export function connectRequest(host: string, port: number): Buffer {
  return Buffer.concat([Buffer.of(VERSION, CONNECT, 0, DOMAIN_NAME), lengthAnd(host), Buffer.of(port >> 8, port & 0xff)])
}

function lengthAnd(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length < 1 || bytes.length > MAX_TEXT_BYTES) throw new RangeError(`a SOCKS text has ${bytes.length} bytes`)
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

/** What was read: a value and how many bytes it took, `more` when bytes are missing, `invalid` when it is no SOCKS5. */
export type Parsed<T> = { readonly value: T; readonly bytes: number } | 'more' | 'invalid'

/** The method that the proxy chose. */
export function parseMethod(bytes: Uint8Array): Parsed<number> {
  const [version, method] = bytes
  if (version === undefined) return 'more'
  if (version !== VERSION) return 'invalid'
  return method === undefined ? 'more' : { value: method, bytes: 2 }
}

/** Whether user and password were taken: 0 = yes. */
export function parsePasswordStatus(bytes: Uint8Array): Parsed<number> {
  const [version, status] = bytes
  if (version === undefined) return 'more'
  if (version !== PASSWORD_VERSION) return 'invalid'
  return status === undefined ? 'more' : { value: status, bytes: 2 }
}

/** The answer to the request: its code; the address behind it is of no use to anybody. */
export function parseReply(bytes: Uint8Array): Parsed<number> {
  const [version, code, , type, length] = bytes
  if (version === undefined) return 'more'
  if (version !== VERSION) return 'invalid'
  if (code === undefined || type === undefined || length === undefined) return 'more'
  const addressBytes = type === IPV4 ? 4 : type === IPV6 ? 16 : type === DOMAIN_NAME ? 1 + length : undefined
  if (addressBytes === undefined) return 'invalid'
  const total = 4 + addressBytes + 2
  return bytes.length < total ? 'more' : { value: code, bytes: total }
}
