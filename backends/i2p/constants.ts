// Specification constants (https://geti2p.net/en/docs/api/samv3, https://geti2p.net/spec/common-structures)

/** Where routers offer SAM unless they are told otherwise. */
export const DEFAULT_SAM_PORT = 7656
/** A destination: two keys of 256 and 128 bytes, the type of its certificate, and the certificate's length in two bytes. */
export const CERTIFICATE_LENGTH_AT = 385
export const CERTIFICATE_AT = 387
/** Ed25519 (SHA-512), the signature type that everybody uses; the default of SAM is DSA. */
export const ED25519 = 7
/** Red25519, the other type that can be blinded. */
export const RED25519 = 11

// Implementation constants

/** Longest line of SAM: a private key has 900 characters, offline signatures a few thousand. More is no SAM. */
export const MAX_LINE_BYTES = 64 * 1024
/** Longest first line of a forwarded stream: a destination of 524 characters (up to 3 KiB with long certificates) and two ports. */
export const MAX_FORWARD_LINE_BYTES = 4 * 1024
/** The router writes that line at once. */
export const FORWARD_LINE_LIMIT_MS = 10_000
/** Connecting to a port of this machine and the greeting: at once, or never. */
export const HELLO_LIMIT_MS = 10_000
/** The same at a port that nobody told us of: something else may live there and say nothing. */
export const PROBE_LIMIT_MS = 3_000
/** Making a key pair. */
export const DEST_LIMIT_MS = 10_000
/** The router answers FORWARD at once, or never (`PORT=abc`). */
export const FORWARD_LIMIT_MS = 10_000
/** Asking the floodfills takes 15 s in i2pd, and they may have to be asked twice. */
export const CONNECT_LIMIT_MS = 60_000
/** How long a session may be unknown to STREAM commands: i2pd takes 20 ms, the Java router until its tunnels are built. */
export const SESSION_LIMIT_MS = 180_000
/** A status that comes earlier tells that the router took up a destination that it is about to end: a fresh one needs its tunnels first. */
export const STALE_STATUS_MS = 1_000
/** How often a session is made anew for that reason, and how long each wait is: i2pd ends such a destination 5 s after it was closed. */
export const STALE_WAITS_MS: readonly number[] = [7_000, 14_000, 28_000]
/** Shortest wait before a session with the same keys is made again, for the same reason. */
export const RECREATE_MS = 6_000
/** The same where no status ever came: i2pd's check of the first one, 20 s after it was made, ends the second as well. */
export const RECREATE_UNANSWERED_MS = 27_000
/** Waits between attempts to have a session again. */
export const RECONNECT = { baseMs: 6_000, maxMs: 60_000 } as const
/** How often a session is asked that the router does not know yet: from the first wait, doubled, to the second. */
export const UNKNOWN_ID_WAITS_MS = [20, 1_000] as const
/** How often a destination is asked for while the tunnels of this end are being built: the router says no at once until then. */
export const NO_TUNNELS_WAIT_MS = 500
/** A refusal that takes longer came from floodfills that were asked. */
export const ASKED_MS = 5_000
/** Where a lookup failed though the tunnels are there, the next follows after this. */
export const LOOKUP_WAIT_MS = 2_000
/** How long the answer of our own relay may take once the stream is open: several round trips through twelve routers. */
export const CHECK_ANSWER_MS = 20_000
/** When people are told that nobody got through yet, though it goes on: a lease set may take ten minutes (i2pd#1072). */
export const TELL_UNREACHED_MS = 240_000
/** How often people are told what is being waited for. */
export const PROGRESS_EVERY_MS = 15_000
/** How often a running service is looked at from outside. Each look builds two tunnels. */
export const CHECK_EVERY_MS = 10 * 60_000
/** How often one that cannot be reached is looked at. */
export const CHECK_AGAIN_MS = 60_000
/** How long one look may take: tunnels, lookup, stream. */
export const CHECK_LIMIT_MS = 90_000
/** How often the clock is compared with itself, and by how much it has to jump to mean that the machine slept. */
export const WAKE_POLL_MS = 5_000
export const WAKE_JUMP_MS = 30_000
/** Streams whose first line has not come yet: the router writes it at once, so more are not its. */
export const MAX_PENDING = 128
/**
 * Visitors of one tunnel at once. i2pd holds nobody back across the network: what a visitor does not read fills the memory of its router,
 * 5 MiB a second, so the number of streams is the only bound there is.
 */
export const MAX_VISITORS = 512
/** Sessions for dialling, one for each isolation value. Each has six tunnels. */
export const MAX_DIAL_SESSIONS = 16
/** A session that nobody dialled with for so long is closed. */
export const DIAL_SESSION_IDLE_MS = 10 * 60_000
/** The address book of Beam: names that this user gave to services of this machine. */
export const MAX_BOOK_NAMES = 1_000
export const MAX_BOOK_BYTES = 256 * 1024
/** Entries of an access list. */
export const MAX_ACCESS_ENTRIES = 1_000
/** Clients of an encrypted lease set: all of them must fit into the one message that is published. */
export const MAX_CLIENTS = 64
/** How long the router has to send the ends of the streams of a tunnel that is stopped. The host gives a backend two seconds for everything. */
export const LAST_WORDS_MS = 250
/** How long a dial waits for tunnels of this end; the host gives it a minute, and twice that to what reaches a service for the first time. */
export const DIAL_PATIENCE_MS = 55_000
export const REACH_PATIENCE_MS = 110_000
/** What may wait in Beam for a slow visitor: i2pd loses what is left in it when the far end closes. Of one stream, and of all together. */
export const MAX_AHEAD_STREAM_BYTES = 16 * 1024 * 1024
export const MAX_AHEAD_BYTES = 64 * 1024 * 1024
/** How long the end of an answer is held back, so that the visitor's router has handed out what came before it. */
export const LATE_END_MS = 500
/** A destination from which nothing came for so long after something was sent counts as silent: what the customer allows for a failover, and several round trips. */
export const SILENT_MS = 5_000
/** How often a silent one is tried again, by who has other ways; with a new lease set, which takes about as long to be published. */
export const TRIAL_MS = 30_000
/** Destinations that are remembered for it; a visitor has a few. */
export const MAX_WATCHED = 256
