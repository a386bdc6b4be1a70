import type { Duplex } from 'node:stream'

/** A place where a publisher can be reached, as a source of discovery knows it. */
export type Contact =
  /** A TCP listener that speaks the link protocol and holds the service key. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A relay through which the service is reached: the node that holds this key there. */
  | { readonly kind: 'relay'; readonly host: string; readonly port: number; readonly key: Uint8Array }
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
  /**
   * Makes the record that withdraws the service, when the announcement is stopped; its sequence number is above `sequence`. Absent = sources
   * that carry records just forget it, and copies elsewhere count until their time is over.
   */
  readonly withdrawal?: (sequence: number) => { readonly record: Uint8Array; readonly sequence: number }
  /** Takes streams that arrive through the source (hole-punched ones), and owns them from then on. */
  readonly onStream?: (stream: Duplex) => void
  /**
   * Told that the source holds a record of this key with a higher sequence number (a clock that was set back, a second process with the
   * same key): the announced one stays unseen until `update` brings a higher number.
   */
  readonly onSuperseded?: (sequence: number) => void
}

/** How far an announcement is: `pending` until the source first holds it, `failed` while the source cannot (it keeps trying). */
export type AnnouncementState = 'pending' | 'announced' | 'failed'

/** A running announcement. */
export interface Announced {
  /**
   * Replaces the record (a newer sequence number); the announcement stays. Sources refresh what they hold, but cannot sign: who announces
   * brings a new record before the time to live of the old one is over.
   */
  update(record: Uint8Array, sequence: number): void
  readonly state: AnnouncementState
  /** Withdraws it. Never rejects; takes at most a second. */
  stop(): Promise<void>
}

/** `idle`: not used yet, nothing opened. `off`: switched off, never opens anything. `unreachable`: tried, and tried again by itself. */
export type DiscoveryState = 'off' | 'idle' | 'starting' | 'ready' | 'unreachable'

/** How a source is. Figures that were not measured are absent. */
export interface DiscoveryStatus {
  readonly state: DiscoveryState
  /** Other nodes that the source knows now. */
  readonly peers?: number
  /** For people: what is wrong, or how it is used. */
  readonly detail?: string
}

/**
 * One way to make services known and to find them. Sources are asked side by side; the first valid answer wins.
 * Nothing here is trusted: whatever is found is verified against the service key by who uses it.
 * No source does any I/O before it is first used. Whoever made it closes it: what it holds open may keep the process alive until then.
 */
export interface Discovery {
  readonly name: string
  /** Makes a service known, in the background: returns at once, retries by itself. `onState` tells when the state changes. */
  announce(announcement: Announcement, onState?: (state: AnnouncementState, reason: string) => void): Announced
  /**
   * Looks a service key up. Yields as answers come; ends, without an error, when the source knows no more, cannot be reached, or when the
   * signal fires.
   */
  find(serviceKey: Uint8Array, options: { readonly signal: AbortSignal }): AsyncIterable<Found>
  /** The service keys that claim a name; unverified. Yields as answers come, each key once. */
  claimants(name: string, options: { readonly signal: AbortSignal }): AsyncIterable<Uint8Array>
  /** For status and `beam doctor`. */
  status(): DiscoveryStatus
  /** Ends all announcements and lookups; nothing is left open. Calling it twice is harmless. */
  close(): Promise<void>
}
