import type { Duplex } from 'node:stream'

/** A place where a publisher can be reached, as a source of discovery knows it. */
export type Contact =
  /** A TCP listener that speaks the link protocol and holds the service key. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A stream that the source itself can open (UDP hole punching through the DHT). */
  | { readonly kind: 'stream'; readonly label: string; readonly open: (options: { signal?: AbortSignal }) => Promise<Duplex> }

/** What a source found out about a service key. */
export interface Found {
  /** Name of the source: `registry`, `mdns`, `dht`. */
  readonly source: string
  readonly contacts: readonly Contact[]
  /** The signed service record, when the source carries records (still to be verified by the caller). */
  readonly record?: Uint8Array
}

/** What a publisher makes known. */
export interface Announcement {
  readonly serviceKey: Uint8Array
  /** 32-byte Ed25519 seed of the service key, for sources that sign with it. */
  readonly seed: Uint8Array
  /** The signed service record, at most 900 bytes. */
  readonly record: Uint8Array
  /** Sequence number of the record. */
  readonly sequence: number
  /** Port of the tunnel's TCP listener. */
  readonly port: number
  /** Claimed domain, if any. */
  readonly domain?: string
  /** Takes streams that arrive through the source (hole-punched ones). */
  readonly onStream?: (stream: Duplex) => void
}

/** A running announcement. */
export interface Announced {
  /** Replaces the record (a newer sequence number); the announcement stays. */
  update(record: Uint8Array, sequence: number): void
  /** Whether the source holds it by now: `pending` until the first success. */
  readonly state: 'pending' | 'announced' | 'failed'
  /** Withdraws it. Never rejects; takes at most a second. */
  stop(): Promise<void>
}

/**
 * One way to make services known and to find them. Sources are asked side by side; the first valid answer wins.
 * Nothing here is trusted: whatever is found is verified against the service key by who uses it.
 */
export interface Discovery {
  readonly name: string
  /** Makes a service known, in the background: returns at once, retries by itself. `onState` tells when the state changes. */
  announce(announcement: Announcement, onState?: (state: Announced['state'], reason: string) => void): Announced
  /** Looks a service key up. Yields as answers come; ends when the source knows no more, or when the signal fires. */
  find(serviceKey: Uint8Array, options: { readonly signal: AbortSignal }): AsyncIterable<Found>
  /** The service keys that claim a name; unverified. Yields as answers come. */
  claimants(name: string, options: { readonly signal: AbortSignal }): AsyncIterable<Uint8Array>
  /** Figures for status and `beam doctor`: absent = not measured. */
  status(): { readonly state: 'off' | 'starting' | 'ready' | 'unreachable'; readonly peers?: number; readonly detail?: string }
  close(): Promise<void>
}
