import {
  silentLogger,
  type Announced,
  type Announcement,
  type AnnouncementState,
  type Discovery,
  type DiscoveryState,
  type DiscoveryStatus,
  type Found,
  type Logger,
} from '../../../core/index.ts'
import { answers } from './answers.ts'

/** One source of several, for lists. */
export interface SourceStatus extends DiscoveryStatus {
  readonly name: string
}

/** Answers of all sources together: each source has a limit of its own, this one is for sources that plugins bring. */
const MAX_ANSWERS = 256
/** How long a source may take to end; its own limit is a second. */
const CLOSE_MS = 3_000
/** From the best to the worst: the whole is as good as its best part. */
const STATES: readonly DiscoveryState[] = ['ready', 'starting', 'idle', 'unreachable', 'off']
const ANNOUNCEMENT_STATES: readonly AnnouncementState[] = ['announced', 'pending', 'failed']

/** Several sources of discovery side by side, as one. A source that fails or hangs does not disturb the others. */
export class MultiDiscovery implements Discovery {
  readonly name = 'multi'
  readonly #sources: readonly Discovery[]
  readonly #logger: Logger

  constructor(sources: readonly Discovery[], { logger = silentLogger }: { readonly logger?: Logger } = {}) {
    this.#sources = sources
    this.#logger = logger
  }

  /** `announced` as soon as one source holds it, `failed` when none does and all have failed. `reason` says which sources do; told again when one more does. */
  announce(announcement: Announcement, onState?: (state: AnnouncementState, reason: string) => void): Announced {
    const states = new Map<string, { state: AnnouncementState; reason: string }>()
    const overall = (): AnnouncementState =>
      best(
        ANNOUNCEMENT_STATES,
        [...states.values()].map(({ state }) => state),
      ) ?? 'failed'
    const parts = this.#sources.map((source) => {
      const changed = (state: AnnouncementState, reason: string): void => {
        const before = overall()
        states.set(source.name, { state, reason })
        if (overall() !== before || state === overall()) onState?.(overall(), reasonOf(states, overall()))
      }
      states.set(source.name, { state: 'pending', reason: '' })
      try {
        return source.announce(announcement, changed)
      } catch (error) {
        this.#failed('announce', source, error)
        queueMicrotask(() => changed('failed', String(error)))
        return undefined
      }
    })
    return {
      update: (record, sequence) => {
        for (const part of parts) part?.update(record, sequence)
      },
      get state() {
        return overall()
      },
      stop: async () => {
        await Promise.allSettled(parts.flatMap((part) => (part === undefined ? [] : [part.stop()])))
      },
    }
  }

  find(serviceKey: Uint8Array, { signal }: { readonly signal: AbortSignal }): AsyncIterable<Found> {
    return this.#merge(signal, (source, ending) => source.find(serviceKey, { signal: ending }))
  }

  async *claimants(name: string, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<Uint8Array, void> {
    const seen = new Set<string>()
    for await (const key of this.#merge(signal, (source, ending) => source.claimants(name, { signal: ending }))) {
      const text = Buffer.from(key).toString('hex')
      if (seen.has(text)) continue
      seen.add(text)
      yield key
    }
  }

  status(): DiscoveryStatus {
    const list = this.sources()
    const peers = list.flatMap((source) => source.peers ?? [])
    return {
      state:
        best(
          STATES,
          list.map(({ state }) => state),
        ) ?? 'off',
      ...(peers.length === 0 ? {} : { peers: peers.reduce((sum, count) => sum + count, 0) }),
      detail: list.map(({ name, state }) => `${name} ${state}`).join(', '),
    }
  }

  /** Each source by itself, for `beam doctor`. */
  sources(): SourceStatus[] {
    return this.#sources.map((source) => ({ name: source.name, ...source.status() }))
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#sources.map(async (source) => {
        let timer: NodeJS.Timeout | undefined
        const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))
        await Promise.race([source.close().catch((error: unknown) => this.#failed('close', source, error)), late])
        clearTimeout(timer)
      }),
    )
  }

  #merge<T>(signal: AbortSignal, ask: (source: Discovery, signal: AbortSignal) => AsyncIterable<T>): AsyncGenerator<T, void> {
    return answers<T>({ signal, limit: MAX_ANSWERS }, ({ push, end }) => {
      const ending = new AbortController()
      const either = AbortSignal.any([signal, ending.signal])
      const asked = this.#sources.map(async (source) => {
        try {
          for await (const answer of ask(source, either)) push(answer)
        } catch (error) {
          this.#failed('find', source, error)
        }
      })
      void Promise.all(asked).then(end)
      return () => ending.abort()
    })
  }

  #failed(what: string, source: Discovery, error: unknown): void {
    this.#logger.debug('a source of discovery failed', { source: source.name, what, error: String(error) })
  }
}

function best<State>(order: readonly State[], states: readonly State[]): State | undefined {
  return order.find((state) => states.includes(state))
}

function reasonOf(states: ReadonlyMap<string, { state: AnnouncementState; reason: string }>, overall: AnnouncementState): string {
  return [...states].flatMap(([name, { state, reason }]) => (state === overall && reason !== '' ? `${name}: ${reason}` : [])).join('; ')
}
