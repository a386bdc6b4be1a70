import type { Method } from './messages.ts'

/** The versions of the protocol that Beam speaks, the preferred one first. */
export const PROTOCOL_VERSIONS: readonly number[] = [1]

/** Longest line in either direction: the largest sensible message (a configuration block) is far smaller, and one line is held in memory. */
export const MAX_LINE_BYTES = 1024 * 1024
/** Requests that wait for an answer at once: more than a busy tunnel dials in one breath, few enough to keep in memory. */
export const MAX_PENDING_REQUESTS = 256
/** Bytes that wait for the executable to read them; when it is behind by more it hangs. */
export const MAX_UNREAD_BYTES = 4 * MAX_LINE_BYTES
/** The window in which the rates below are counted. */
export const RATE_WINDOW_MS = 1_000
/** Messages in one window: twenty times what the busiest honest executable was seen to send. More is a flood and ends the executable. */
export const MAX_MESSAGES_PER_WINDOW = 5_000
/** Bytes of messages in one window, for the same reason. */
export const MAX_BYTES_PER_WINDOW = 16 * MAX_LINE_BYTES
/** Lines of log (notifications and standard error together) that are passed on in one window; the others are counted and dropped. */
export const MAX_LOG_LINES_PER_WINDOW = 50
/** Bytes of one line of standard error that are kept: enough for a message, not for a dump. */
export const MAX_STDERR_LINE_BYTES = 2_000
/** Bytes of standard error that are read in one window; what is above waits in the pipe. */
export const MAX_STDERR_BYTES_PER_WINDOW = 1024 * 1024
/** Visitors' connections that have not shown their token yet, and how long each may take: both keep strangers on this machine cheap. */
export const MAX_UNPROVEN_STREAMS = 128
export const TOKEN_TIMEOUT_MS = 5_000
/** Longest first line of a visitor's stream: token and what the network tells of the visitor. */
export const MAX_TOKEN_LINE_BYTES = 4_096
/** Visitors' streams of one tunnel at once; each holds two sockets. */
export const MAX_STREAMS_PER_TUNNEL = 4_096
/** Tunnels of one executable at once. */
export const MAX_TUNNELS = 256

/** How often a running executable is asked for its status; one that does not answer in time hangs and is restarted. */
export const PROBE_EVERY_MS = 30_000
/** `getStatus` must answer within a second, so it does not wait longer than this for the executable. */
export const STATUS_WAIT_MS = 700
/** Waits between restarts (full jitter), and how long it must have run for the count of attempts to start again. */
export const RESTART_BACKOFF = { baseMs: 500, maxMs: 60_000 }
export const STABLE_AFTER_MS = 60_000
/** What an executable gets between the closing of its standard input and SIGTERM, and between SIGTERM and SIGKILL. */
export const EXIT_GRACE_MS = 2_000
export const TERM_GRACE_MS = 2_000

/** Longest waits by method: networks may take minutes to publish or to reach somebody; what is answered from memory may not. */
export const TIME_LIMITS_MS: Readonly<Record<Method, number>> = {
  initialize: 120_000,
  network_type: 10_000,
  capabilities: 10_000,
  create_tunnel: 300_000,
  destroy_tunnel: 15_000,
  status: 10_000,
  network_stats: 10_000,
  resolve_domain: 60_000,
  register_domain: 120_000,
  reach: 120_000,
  dial: 120_000,
  shutdown: 2_000,
}
