import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { BackendUnavailableError, type BeamPaths, type Clock } from '../../../core/index.ts'
import { withDatabase } from './database.ts'
import type { Bucket, Period, Sample } from './sample.ts'

/** How long samples are kept: a month, so that `--period 30d` has something to show. */
const KEEP_MS = 32 * 86_400_000
/** Rows at most, whatever the clock says: two processes for that month. */
const MAX_ROWS = 100_000
/** How many stretches a period can be cut into: more than a terminal has columns. */
export const MAX_BUCKETS = 400

const SCHEMA = `CREATE TABLE IF NOT EXISTS samples (
  at INTEGER NOT NULL, run TEXT NOT NULL, up_ms INTEGER NOT NULL, peers INTEGER NOT NULL, inbound INTEGER NOT NULL, latency_ms REAL,
  streams INTEGER NOT NULL, bytes INTEGER NOT NULL, refused INTEGER NOT NULL, heard INTEGER NOT NULL, discoverable INTEGER NOT NULL
); CREATE INDEX IF NOT EXISTS samples_at ON samples (at);`

const TOTALS = `SELECT count(*) AS samples, sum(streams) AS streams, sum(bytes) AS bytes, sum(refused) AS refused, avg(peers) AS peers,
  min(peers) AS peers_least, max(peers) AS peers_most, avg(latency_ms) AS latency, min(latency_ms) AS latency_least,
  max(latency_ms) AS latency_most, avg(discoverable) AS discoverable FROM samples WHERE at > ? AND at <= ?`

const BUCKETS = `SELECT (at - ?1 - 1) / ?3 AS bucket, count(*) AS samples, sum(streams) AS streams, sum(bytes) AS bytes,
  sum(refused) AS refused, avg(peers) AS peers, avg(latency_ms) AS latency, avg(discoverable) AS discoverable, avg(heard) AS heard
  FROM samples WHERE at > ?1 AND at <= ?2 GROUP BY bucket ORDER BY bucket`

type Row = Readonly<Record<string, number | null | undefined>>

/** The samples of this user's nodes: `<state>/network-history.sqlite`, shared by all processes. */
export class HistoryStore {
  readonly path: string
  readonly #clock: Clock
  readonly #onDamaged: (kept: string) => void
  /** Tells the rows of one process's node from another's. */
  readonly #run = randomBytes(4).toString('hex')

  /** Called before the past is read: whoever takes samples takes one now, so that the past ends with this moment. */
  beforeRead: () => Promise<void> = async () => {}

  constructor(paths: Pick<BeamPaths, 'state'>, clock: Clock, onDamaged: (kept: string) => void = () => {}) {
    this.path = join(paths.state, 'network-history.sqlite')
    this.#clock = clock
    this.#onDamaged = onDamaged
  }

  /** Adds a sample; with `prune` also forgets what is old. @throws what SQLite does */
  async add(sample: Sample, { prune = false }: { readonly prune?: boolean } = {}): Promise<void> {
    const { at, upMs, peers, inbound, latencyMs, streams, bytes, refused, heard, discoverable } = sample
    await this.#use((database) => {
      if (prune) {
        database.run('DELETE FROM samples WHERE at < ?', [at - KEEP_MS])
        database.run('DELETE FROM samples WHERE rowid NOT IN (SELECT rowid FROM samples ORDER BY at DESC LIMIT ?)', [MAX_ROWS])
      }
      const values = [
        at,
        this.#run,
        Math.round(upMs),
        peers,
        inbound,
        latencyMs ?? null,
        streams,
        bytes,
        refused,
        heard,
        discoverable ? 1 : 0,
      ]
      database.run('INSERT INTO samples VALUES (?,?,?,?,?,?,?,?,?,?,?)', values)
    })
  }

  /**
   * What is known of the time from `since` to `until` (milliseconds since the epoch), in so many stretches.
   * @throws BackendUnavailableError when the file cannot be used
   */
  async read({ since, until, buckets }: { readonly since: number; readonly until: number; readonly buckets: number }): Promise<Period> {
    await this.beforeRead()
    const width = Math.max(1, Math.ceil((until - since) / Math.min(MAX_BUCKETS, Math.max(1, buckets))))
    const [totals, rows, spans, oldest] = await this.#useOrSay((database) => [
      (database.get(TOTALS, [since, until]) ?? {}) as Row,
      database.all(BUCKETS, [since, until, width]) as Row[],
      database.all('SELECT at, up_ms FROM samples WHERE at > ? AND at <= ? ORDER BY at - up_ms', [since, until]) as Row[],
      (database.get('SELECT min(at - up_ms) AS at FROM samples') ?? {}) as Row,
    ])
    const up = unionOf(spans.map((row) => [Math.max(since, number(row['at']) - number(row['up_ms'])), number(row['at'])]))
    const range = (name: string): { mean: number; least: number; most: number } | undefined => {
      const [mean, least, most] = [totals[name], totals[`${name}_least`], totals[`${name}_most`]]
      return typeof mean === 'number' && typeof least === 'number' && typeof most === 'number' ? { mean, least, most } : undefined
    }
    const [peers, latencyMs] = [range('peers'), range('latency')]
    return {
      since,
      until,
      samples: number(totals['samples']),
      ...(typeof oldest['at'] === 'number' ? { oldest: oldest['at'] } : {}),
      upMs: lengthOf(up, since, until),
      ...sums(totals),
      ...(peers === undefined ? {} : { peers }),
      ...(latencyMs === undefined ? {} : { latencyMs }),
      ...(typeof totals['discoverable'] === 'number' ? { discoverable: totals['discoverable'] } : {}),
      buckets: rows.map((row) => bucketOf(row, since, width, up)),
    }
  }

  #use<T>(use: Parameters<typeof withDatabase<T>>[2]): Promise<T> {
    return withDatabase(this.path, SCHEMA, use, { clock: this.#clock, onDamaged: this.#onDamaged })
  }

  async #useOrSay<T>(use: Parameters<typeof withDatabase<T>>[2]): Promise<T> {
    try {
      return await this.#use(use)
    } catch (cause) {
      throw new BackendUnavailableError(`The history of the network cannot be read: ${(cause as Error).message}.`, {
        hint: `It is in ${this.path}. Is the disk full, or the folder not yours?`,
        cause,
      })
    }
  }
}

function bucketOf(row: Row, since: number, width: number, up: readonly Span[]): Bucket {
  const at = since + number(row['bucket']) * width
  const optional = (name: string, as: string): Record<string, number> => (typeof row[name] === 'number' ? { [as]: row[name] } : {})
  return {
    at,
    samples: number(row['samples']),
    upMs: lengthOf(up, at, at + width),
    ...sums(row),
    ...optional('peers', 'peers'),
    ...optional('latency', 'latencyMs'),
    ...optional('discoverable', 'discoverable'),
    ...optional('heard', 'heard'),
  }
}

type Span = readonly [from: number, to: number]

/** Times during which one node or another was up, without overlaps: two processes at once are not up twice. Sorted by their beginning. */
function unionOf(spans: readonly Span[]): readonly Span[] {
  const merged: Array<[number, number]> = []
  for (const [from, to] of spans) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

function lengthOf(spans: readonly Span[], from: number, to: number): number {
  return spans.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)), 0)
}

function sums(row: Row): { streams: number; bytes: number; refused: number } {
  return { streams: number(row['streams']), bytes: number(row['bytes']), refused: number(row['refused']) }
}

const number = (value: number | null | undefined): number => value ?? 0
