import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { readForJoin } from './read-for-join.ts'
import type { DirectSource } from './sink.ts'

/**
 * Dials a socket whose bytes can only be had through `join`: it reads into memory that is used again, which halves the CPU per byte of
 * `pipe()`. It does not read before it is joined.
 */
export function connectForJoin(options: NetConnectOpts): Socket & DirectSource {
  const { onread, source } = readForJoin()
  return source(connect({ ...options, noDelay: true, allowHalfOpen: true, onread } as NetConnectOpts))
}
