import type { Clock } from '../../clock.ts'
import { decodeRecord, isExpired } from '../../records/codec.ts'
import type { ServiceRecord } from '../../records/record.ts'
import { compareRecords } from '../../records/select.ts'
import type { Verdict } from './gossip.ts'

/** Records that are remembered: at 900 bytes each, at most 8 MB with what Node needs around them. */
const MAX_RECORDS = 4096
/** Records that one node may bring: a publisher has a handful of services. Who has more is found in the DHT all the same. */
const MAX_PER_ORIGIN = 128

interface Cached {
  readonly record: ServiceRecord
  readonly bytes: Uint8Array
  readonly origin: string
}

/**
 * What gossip told of services: a fast memory beside the DHT, trusted no more than any other source. Every record is verified, an old one
 * never replaces a newer one, and a withdrawal stays until no older record could be valid any more.
 */
export class RecordCache {
  readonly #clock: Clock
  readonly #max: number
  readonly #cached = new Map<string, Cached>()
  readonly #perOrigin = new Map<string, number>()

  constructor(clock: Clock, options: { readonly max?: number } = {}) {
    this.#clock = clock
    this.#max = options.max ?? MAX_RECORDS
  }

  get size(): number {
    return this.#cached.size
  }

  /** Takes a record in that `origin` brought; `tombstone` says what it has to be. */
  take(bytes: Uint8Array, origin: string, tombstone: boolean): Verdict {
    let record: ServiceRecord
    try {
      record = decodeRecord(bytes, { now: this.#clock.now() })
    } catch (error) {
      return (error as { code?: string }).code === 'BEAM_ERR_RECORD_EXPIRED' ? 'stale' : 'bad'
    }
    return record.tombstone === tombstone ? this.keep(record, bytes, origin) : 'bad'
  }

  /** Takes a record in that was decoded, and so verified, already. `stale`: this one or a newer one is here, or `origin` has brought too many. */
  keep(record: ServiceRecord, bytes: Uint8Array, origin: string): 'good' | 'stale' {
    const id = idOf(record.serviceKey)
    const known = this.#cached.get(id)
    if (known !== undefined && compareRecords(record, known.record) <= 0) return 'stale'
    if (known === undefined && (this.#perOrigin.get(origin) ?? 0) >= MAX_PER_ORIGIN) return 'stale'
    this.#drop(id)
    this.#cached.set(id, { record, bytes: Buffer.from(bytes), origin })
    this.#perOrigin.set(origin, (this.#perOrigin.get(origin) ?? 0) + 1)
    while (this.#cached.size > this.#max) this.#dropOne()
    return 'good'
  }

  /** The signed record of a service, while it is valid; a tombstone too. */
  find(serviceKey: Uint8Array): Uint8Array | undefined {
    return this.entry(serviceKey)?.bytes
  }

  /** The same with what it says. */
  entry(serviceKey: Uint8Array): { readonly record: ServiceRecord; readonly bytes: Uint8Array } | undefined {
    const id = idOf(serviceKey)
    const cached = this.#cached.get(id)
    if (cached === undefined) return undefined
    if (!isExpired(cached.record, this.#clock.now())) return cached
    this.#drop(id)
    return undefined
  }

  /** The service keys that claim a name, the latest news first. */
  claimants(name: string): Uint8Array[] {
    const now = this.#clock.now()
    return [...this.#cached.values()]
      .filter(({ record }) => record.name === name && !record.tombstone && !isExpired(record, now))
      .map(({ record }) => record.serviceKey)
      .reverse()
  }

  /** The oldest news of whoever brought most: so nobody drives out what others brought. Maps keep the order of insertion. */
  #dropOne(): void {
    let greediest: string | undefined
    let most = 0
    for (const [origin, count] of this.#perOrigin) {
      if (count > most) [greediest, most] = [origin, count]
    }
    for (const [id, { origin }] of this.#cached) {
      if (origin === greediest) return this.#drop(id)
    }
  }

  #drop(id: string): void {
    const cached = this.#cached.get(id)
    if (cached === undefined) return
    this.#cached.delete(id)
    const left = (this.#perOrigin.get(cached.origin) ?? 1) - 1
    if (left > 0) this.#perOrigin.set(cached.origin, left)
    else this.#perOrigin.delete(cached.origin)
  }
}

function idOf(serviceKey: Uint8Array): string {
  return Buffer.from(serviceKey).toString('hex')
}
