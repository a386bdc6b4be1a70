import { MAX_STREAM_WINDOW_BYTES, MIN_STREAM_WINDOW_BYTES } from './constants.ts'

/**
 * The window that each stream of a link gets: the link's budget shared among the open streams, counted in powers of two so that it
 * changes seldom. It bounds what a reader that stands still makes this process hold.
 */
export function streamWindowBytes(openStreams: number, budgetBytes: number): number {
  const share = budgetBytes / 2 ** Math.ceil(Math.log2(Math.max(1, openStreams)))
  return Math.max(MIN_STREAM_WINDOW_BYTES, Math.min(MAX_STREAM_WINDOW_BYTES, Math.floor(share)))
}
