/** Specification constants: what AnoNet and its parts agree on. */

/** Addresses of links between two friends. Never announced: each is known to its two ends only. */
export const LINK_RANGE = '21.255.0.0/16'
/** Links in that range: a /30 each. */
export const LINK_SLOTS = 1 << 14
/** Lengths of prefixes that may be announced. */
export const MIN_PREFIX_LENGTH = 24
/** Private AS numbers of 32 bits (RFC 6996 section 5). */
export const FIRST_PRIVATE_AS = 4_200_000_000
export const LAST_PRIVATE_AS = 4_294_967_294
/** Private AS numbers of 16 bits (RFC 6996 section 5). */
export const FIRST_SHORT_AS = 64_512
export const LAST_SHORT_AS = 65_534
/** What a WireGuard tunnel carries over a path of 1500 bytes, with room for IPv6 outside. */
export const TUNNEL_MTU = 1_420
/** Keep-alives keep the mapping of a home router open (WireGuard's own recommendation), in seconds. */
export const KEEPALIVE_SECONDS = 25
/** A WireGuard session is renewed every two minutes and dead after three (REJECT_AFTER_TIME). */
export const HANDSHAKE_STALE_SECONDS = 180

/** Implementation constants. */

/** Longest path of autonomous systems that is believed: a mesh of friends is small, and a loop is long. */
export const MAX_PATH_LENGTH = 16
/** Prefixes that one friend may announce: his own and what he carries. Bounds the memory of BIRD. */
export const MAX_PREFIXES_PER_FRIEND = 1_000
/** Friends of one node: each has a process and a UDP port of its own. */
export const MAX_FRIENDS = 64
/** Places at which one friend may say that he can be reached. */
export const MAX_ENDPOINTS = 4
/** How long an invitation is good for, in seconds: long enough for a friend on holiday. */
export const INVITE_SECONDS = 7 * 24 * 3_600
/** A friend's clock may be that far ahead, in seconds. */
export const CLOCK_SKEW_SECONDS = 300
/** How often sessions, routes and the list of friends are looked at, in milliseconds. */
export const WATCH_MS = 1_000
/** How long a dial waits for a route that may be on its way: sessions come up within seconds, and a failover takes less than one. */
export const ROUTE_WAIT_MS = 8_000
/** Pause between attempts while there is no route, in milliseconds. */
export const ROUTE_RETRY_MS = 150
/** TCP's own patience is two minutes; a far end in a mesh of friends answers in seconds. */
export const DIAL_LIMIT_MS = 15_000
/** BIRD and WireGuard answer their control sockets at once; a stopped one never does. */
export const CONTROL_LIMIT_MS = 3_000
/** Longest answer of BIRD that is read: some thousand routes. */
export const MAX_BIRD_BYTES = 1024 * 1024
/** Longest answer of WireGuard for an interface with one peer; a kernel interface may have hundreds. */
export const MAX_WIREGUARD_BYTES = 256 * 1024
/** Visitors at once, as many as core serves. */
export const MAX_VISITORS = 4_096
