import type { Participation } from '../gossip/payloads.ts'

/** What a relay does for others, at most. */
export interface RelayLimits {
  /** Streams at a time, for all and for each peer. */
  readonly streams: number
  readonly streamsPerPeer: number
  /** Bytes per second, both directions together, for all and for each peer. */
  readonly bytesPerSecond: number
  readonly bytesPerSecondPerPeer: number
  /** Bytes of one peer within a day. */
  readonly bytesPerDayPerPeer: number
  /** Nodes that are reachable through this one. */
  readonly reservations: number
  /** How long a reservation lasts unless it is asked for again, in milliseconds. */
  readonly reservationMs: number
}

const MIB = 1 << 20

/** What a household's connection spares, and what a server gives. A node that takes part lightly relays nothing. */
const LIMITS: Readonly<Record<Exclude<Participation, 'light'>, RelayLimits>> = {
  routing: {
    streams: 256,
    streamsPerPeer: 32,
    bytesPerSecond: 16 * MIB,
    bytesPerSecondPerPeer: 8 * MIB,
    bytesPerDayPerPeer: 4096 * MIB,
    reservations: 64,
    reservationMs: 1_800_000,
  },
  full: {
    streams: 2048,
    streamsPerPeer: 128,
    bytesPerSecond: 128 * MIB,
    bytesPerSecondPerPeer: 64 * MIB,
    bytesPerDayPerPeer: 65_536 * MIB,
    reservations: 512,
    reservationMs: 1_800_000,
  },
}

/** The usual limits of a participation; undefined for a node that relays nothing. */
export function relayLimits(participation: Participation): RelayLimits | undefined {
  return participation === 'light' ? undefined : LIMITS[participation]
}
