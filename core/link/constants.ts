/* Specification constants */

/** ALPN name of a link (RFC 9113 section 3.2). A side channel offers none; a name of our own would tell every observer what this is. */
export const LINK_PROTOCOL = 'h2'
/** Label of the keying material (RFC 8446 section 7.5) that names a link on its side channels: only its two ends know it. */
export const LINK_TOKEN_LABEL = 'EXPORTER-beam-link-token'
export const LINK_TOKEN_BYTES = 16
/** Label of the keying material that a secret is proved with. */
export const SECRET_LABEL = 'EXPORTER-beam-secret'
/** Trailer: the sender broke this direction off; what came is not all. */
export const RESET_TRAILER = 'beam-reset'
/** Trailer: this direction went on in the stream's side channel, for as many bytes as the value says. */
export const PIPE_TRAILER = 'beam-pipe'
/** Request header: proof that the visitor knows the secret. */
export const SECRET_HEADER = 'beam-secret'
/** Response headers of a refusal: code of the error, and a sentence for people. */
export const ERROR_HEADER = 'beam-error'
export const MESSAGE_HEADER = 'beam-message'
/** Authority of the stream in which a link is turned round, so that its acceptor can open streams too. */
export const REVERSE_AUTHORITY = 'reverse.beam'
/** Path of the request (GET) that asks whether one is let in. */
export const HELLO_PATH = '/beam/hello'
/** Path of the request (GET) for the signed record of the service that is published here. */
export const RECORD_PATH = '/beam/record'
/** Path, followed by a topic, of the small requests (POST) of the mesh. */
export const ASK_PATH = '/beam/ask/'
/** Path, followed by a stream's number, of the request (DELETE) that breaks a stream off when its trailer can't be sent. */
export const STREAMS_PATH = '/beam/streams/'
/** What a side channel starts with: the link's token and the number of the stream (32 bits, big endian). */
export const PIPE_PREAMBLE_BYTES = LINK_TOKEN_BYTES + 4
/** What each direction of a side channel starts with: how many bytes went through the link before (64 bits, big endian). */
export const PIPE_OFFSET_BYTES = 8
/** What a side connection through relays starts with: as long as what a side channel starts with, since the same place reads both. */
export const SIDE_TOKEN_BYTES = LINK_TOKEN_BYTES + 4
/** The first byte of a TLS connection (RFC 8446 section 5.1: handshake), which no token has. */
export const TLS_HANDSHAKE_TYPE = 0x16

/* Implementation constants */

/** A stream's window: 4 MiB carry 40 MB/s over a round trip of 100 ms; 64 KiB is what HTTP/2 starts with (RFC 9113 section 6.9.2). */
export const MAX_STREAM_WINDOW_BYTES = 4 << 20
export const MIN_STREAM_WINDOW_BYTES = 64 << 10
/** The window of a link's whole session, which bounds what its unread bytes take at the receiver. Its streams share one half of it. */
export const SESSION_WINDOW_BYTES = 128 << 20
/** What a dialler's streams together may queue for the network before they wait: more only makes short messages wait behind long ones. */
export const BACKLOG_BYTES = 512 << 10
/** What may be queued in all, answers to the far end included, before the far end counts as hostile. */
export const MAX_BACKLOG_BYTES = 64 << 20
/** The same for a link inside another stream (hole-punched, relayed): what carries it may hold all unread bytes in memory, 32 MiB at most. */
export const INNER_SESSION_WINDOW_BYTES = 16 << 20
/** HTTP/2 frames up to this size: fewer headers and callbacks than the default of 16 KiB. */
export const MAX_FRAME_BYTES = 1 << 20
/** Headers of a request or answer: ours have below 1 KiB, a refusal's sentence up to 3. Node's default is 64 KiB, which every stream may hold. */
export const MAX_HEADERS_BYTES = 8 << 10
/** A small request or its answer: some seventy records. What is larger is a stream. */
export const MAX_ASK_BYTES = 64 << 10
/** Small requests of one link that are answered at a time. */
export const MAX_ASKED = 32
/** Streams of one link at a time. */
export const MAX_LINK_STREAMS = 4096
/** A stream that moved this much gets a TLS connection of its own: the handshake (about 2 ms of CPU) is then below a third of what the bytes cost. */
export const HEAVY_STREAM_BYTES = 4 << 20
/** The same for a relayed stream, whose bytes cost five times as much inside the link (docs/nat.md). */
export const HEAVY_RELAYED_BYTES = 512 << 10
/** Side channels of one link at a time. */
export const MAX_LINK_PIPES = 64
/** From the TCP connection to the HTTP/2 settings of the far end. */
export const HANDSHAKE_TIMEOUT_MS = 10_000
/** How long the far end may take to answer a request, or to follow an abort, before the stream is cut off. */
export const REQUEST_TIMEOUT_MS = 10_000
export const ABORT_TIMEOUT_MS = 5_000
/** A link that heard nothing for this long is asked for a sign of life (PING, RFC 9113 section 6.7) … */
export const PING_INTERVAL_MS = 15_000
/** … or when a stream is opened on it, but no more often than this: many streams are as good as one for that. */
export const PING_AGAIN_MS = 1_000
/** It is given up when no sign comes. */
export const PING_TIMEOUT_MS = 5_000
/** Links of one listener at a time, connections that have not shown a key yet, and side channels that have not said which stream they are for. */
export const MAX_LINKS = 1024
export const MAX_HANDSHAKES = 128
/** Side connections that one relay copies at a time: beside those of links, and each may hold four buffers of 256 KiB a direction. */
export const MAX_SIDE_CONNECTIONS = 128
/** Side connections that are expected at a time, in all and for each who asked; and for how long: two round trips, on bad networks. */
export const MAX_DOOR_TOKENS = 256
export const MAX_DOOR_TOKENS_PER_OWNER = 32
export const DOOR_WAIT_MS = 10_000
/** Memory of one session that is not window: header tables, queued frames (Node counts in MB). */
export const MAX_SESSION_MEMORY_MB = 256
