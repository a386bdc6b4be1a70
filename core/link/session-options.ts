import type { Settings } from 'node:http2'
import { MAX_FRAME_BYTES, MAX_HEADERS_BYTES, MAX_LINK_STREAMS, MAX_SESSION_MEMORY_MB, MAX_STREAM_WINDOW_BYTES } from './constants.ts'

const settings: Settings = {
  initialWindowSize: MAX_STREAM_WINDOW_BYTES,
  maxFrameSize: MAX_FRAME_BYTES,
  maxConcurrentStreams: MAX_LINK_STREAMS,
  maxHeaderListSize: MAX_HEADERS_BYTES,
  enablePush: false,
}

/** HTTP/2 options, alike at both ends of a link. */
export const sessionOptions = { settings, maxSessionMemory: MAX_SESSION_MEMORY_MB, maxOutstandingPings: 4 }
