import { registerRecord, type Announced, type Announcement, type AnnouncementState, type Clock } from '../../../core/index.ts'
import { Upkeep } from '../discovery/upkeep.ts'
import type { NodeAddress } from './node-address.ts'

/** Registered again well before the record is over: a meeting place may have been restarted meanwhile. */
const EVERY_MS = 10 * 60_000
const BACKOFF = { baseMs: 2_000, maxMs: 120_000 }
/** Taking a record back is a courtesy: it carries a time to live. */
const WITHDRAW_MS = 1_000

/** What a registration is made of. */
export interface RegistrationParts {
  readonly announcement: Announcement
  /** The meeting places. */
  readonly nodes: () => Promise<readonly NodeAddress[]>
  readonly ask: (node: NodeAddress, topic: string, body: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>
  readonly clock: Clock
  readonly onState: ((state: AnnouncementState, reason: string) => void) | undefined
  readonly onStopped: () => void
}

/** One service at the meeting places: registered with all of them, again before it is forgotten, and taken back at the end. */
export class RendezvousRegistration implements Announced {
  readonly #parts: RegistrationParts
  readonly #upkeep: Upkeep
  #record: Uint8Array
  #sequence: number
  #state: AnnouncementState = 'pending'
  /** Nodes that hold it. */
  #held: readonly NodeAddress[] = []
  #stopping: Promise<void> | undefined

  constructor(parts: RegistrationParts) {
    this.#parts = parts
    this.#record = parts.announcement.record
    this.#sequence = parts.announcement.sequence
    this.#upkeep = new Upkeep({
      clock: parts.clock,
      backoff: BACKOFF,
      everyMs: EVERY_MS,
      work: (signal) => this.#register(signal),
      onFailure: (error) => this.#setState('failed', (error as Error).message),
    })
    this.#upkeep.wake()
  }

  get state(): AnnouncementState {
    return this.#state
  }

  update(record: Uint8Array, sequence: number): void {
    if (sequence <= this.#sequence) return
    this.#record = record
    this.#sequence = sequence
    this.#upkeep.wake()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { announcement, nodes, ask, clock } = this.#parts
    const { serviceKey } = announcement
    const [record, sequence] = [this.#record, this.#sequence]
    const places = await nodes()
    const outcomes = await Promise.allSettled(
      places.map(async (node) => {
        const newer = await registerRecord((topic, body) => ask(node, topic, body, signal), record, { now: clock.now(), serviceKey })
        return { node, newer }
      }),
    )
    if (signal.aborted) return
    const answered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const held = answered.flatMap(({ node, newer }) => (newer === undefined ? [node] : []))
    this.#held = held
    const newest = Math.max(0, ...answered.map(({ newer }) => newer?.sequence ?? 0))
    if (newest >= sequence) announcement.onSuperseded?.(newest)
    if (held.length === 0) throw new Error(whyNot(places.length, outcomes, newest))
    this.#setState('announced', `${held.length} of ${places.length} meeting places ${held.length === 1 ? 'holds' : 'hold'} it`)
  }

  async #stop(): Promise<void> {
    const { announcement, ask, onStopped } = this.#parts
    await this.#upkeep.stop()
    const gone = this.#held.length === 0 ? undefined : announcement.withdrawal?.(this.#sequence)
    if (gone !== undefined) {
      const signal = AbortSignal.timeout(WITHDRAW_MS)
      const { serviceKey } = announcement
      const now = this.#parts.clock.now()
      await Promise.allSettled(
        this.#held.map((node) => registerRecord((topic, body) => ask(node, topic, body, signal), gone.record, { now, serviceKey })),
      )
    }
    onStopped()
  }

  #setState(state: AnnouncementState, reason: string): void {
    if (this.#state === state || this.#stopping !== undefined) return
    this.#state = state
    this.#parts.onState?.(state, reason)
  }
}

function whyNot(places: number, outcomes: readonly PromiseSettledResult<unknown>[], newest: number): string {
  if (places === 0) return 'no meeting place is known'
  if (newest > 0) return `the meeting places hold another record of this key, with sequence number ${newest}`
  const [first] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
  return `no meeting place takes it: ${first?.message ?? 'none answers'}`
}
