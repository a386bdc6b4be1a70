import type { Duplex } from 'node:stream'
import type { NetworkBackend } from '../../backend.ts'
import type { Measurements } from './measurements.ts'
import type { Observer } from './observe.ts'
import type { PromiseId } from './promises.ts'

/** How much the suite does. A slow network gets smaller figures, not longer waits alone. */
export interface Sizes {
  /** Bytes of one bulk transfer. */
  readonly bulkBytes: number
  /** Streams at once. */
  readonly parallel: number
  /** Connections one after the other. */
  readonly sequential: number
  /** Resets in a row: more than 1,000, because some multiplexers take a thousand resets for an attack and close the session. */
  readonly resets: number
  /** Visitors that do not read. */
  readonly stalled: number
  /** How much may be on its way to a reader that does not read: windows and kernel buffers of every leg together. */
  readonly maxBufferedBytes: number
}

/** Sizes for a network on loopback. */
export const DEFAULT_SIZES: Sizes = {
  bulkBytes: 4 * 1024 * 1024,
  parallel: 100,
  sequential: 50,
  resets: 1_200,
  stalled: 40,
  maxBufferedBytes: 48 * 1024 * 1024,
}

/** A backend under test: how it is made, how slow it is and what it cannot do. */
export interface ConformanceFixture {
  /** As the report calls it. */
  readonly name: string
  /** A new backend that is not initialized. Called for most cases anew, so that no case lives off another. */
  create(): NetworkBackend | Promise<NetworkBackend>
  /** A second instance that dials what the first publishes. Default: the publisher dials itself. */
  pair?(): NetworkBackend | Promise<NetworkBackend>
  /** Multiplies every limit of time: 1 (default) for loopback, 60 for a network that takes a minute where loopback takes a second. */
  readonly timeScale?: number
  /** One pair for all cases that do not test the lifecycle: for networks that take minutes to come up. Default: a new pair for each case. */
  readonly reuse?: boolean
  readonly sizes?: Partial<Sizes>
  /** What this network cannot do, and why: reported as skipped with this reason. */
  readonly cannot?: { readonly [id in PromiseId]?: string }
  /** Watches what leaves the two ends, where they are not inside this process. Default: sockets and look-ups of this process. */
  observe?(): Observer
  /** One file of a published site (site publishers). */
  fetchSite?(address: string, path: string): Promise<Uint8Array>
  /** Whether the network could link two streams: asked inside the network, since the ends cannot know. */
  linkable?(a: Duplex, b: Duplex): Promise<boolean>
  /** Told the measured figures, which are reported and never judged. */
  onMeasured?(measurements: Measurements): void
}
