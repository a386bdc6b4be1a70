import { isIP } from 'node:net'
import { homedir, hostname, userInfo } from 'node:os'

/** What stands in for what was taken out. */
const GONE = {
  address: '[address]',
  ip: '[ip]',
  host: '[host]',
  key: '[key]',
  path: '[path]',
  user: '[user]',
  mail: '[mail]',
  secret: '[secret]',
} as const

/** Who and where this user is. */
export interface Surroundings {
  readonly home: string
  readonly user: string
  readonly host: string
}

/** This machine's. */
export function surroundings(): Surroundings {
  try {
    return { home: homedir(), user: userInfo().username, host: hostname() }
  } catch {
    return { home: homedir(), user: '', host: hostname() }
  }
}

/**
 * Takes out of a free text what could tell who, where or with whom: addresses of all networks, keys, IP and mail addresses, host names,
 * paths, and the names of this user and machine. Rather too much than too little: a word that looks like a key goes.
 */
export function redact(text: string, { home, user, host }: Surroundings): string {
  const patterns: ReadonlyArray<readonly [RegExp, string | ((match: string) => string)]> = [
    [/\b(?:beam|beam-node|https?|tcp|udp|wss?|ftp|ssh|unix|file):(?:\/\/)?\S+/gi, GONE.address],
    [/[^\s"'<>()]+@[^\s"'<>()]+\.[^\s"'<>()]+/g, GONE.mail],
    [
      /\b(?:secret|password|passphrase|token|authorization|key)\s*[:=]\s*\S+/gi,
      (match) => `${match.split(/[:=]/)[0] ?? ''}: ${GONE.secret}`,
    ],
    // Keys of all kinds: base32, base58, base64 and hex of 20 characters and more.
    [
      /\b[A-Za-z0-9+/_-]{20,}={0,2}/g,
      (match) => (/^[a-z]+(?:[-_][a-z]+)*$/.test(match) && !/^[a-z2-7]{40,}$/.test(match) ? match : GONE.key),
    ],
    [/\[?[0-9a-f.]*(?::[0-9a-f.]*){2,}(?:%\w+)?\]?/gi, (match) => (isColonAddress(match) ? GONE.ip : match)],
    [/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, GONE.ip],
    [/(?:[A-Za-z]:\\|\\\\|~\/|\/)(?:[^\s"'<>:;,]+[\\/])*[^\s"'<>:;,]+/g, GONE.path],
    [/\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]\b/gi, GONE.host],
  ]
  let left = text
  for (const [name, stand] of [
    [home, GONE.path],
    [host, GONE.host],
    [user, GONE.user],
  ] as const) {
    if (name.length >= 2) left = left.replaceAll(new RegExp(`(?<![A-Za-z0-9])${escaped(name)}(?![A-Za-z0-9])`, 'gi'), stand)
  }
  for (const [pattern, stand] of patterns) left = typeof stand === 'string' ? left.replace(pattern, stand) : left.replace(pattern, stand)
  return left
}

/** IPv6 and hardware addresses; not times of day. */
function isColonAddress(text: string): boolean {
  const bare = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  return isIP(bare) === 6 || /::[0-9a-f]|[0-9a-f]::/i.test(bare) || bare.split(':').length > 5
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
