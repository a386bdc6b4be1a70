import type { Clock } from '../../clock.ts'
import { UnreachableError } from '../../errors.ts'
import { Upkeep } from '../../upkeep.ts'
import type { AnnouncementState } from '../discovery.ts'
import { registerRecord } from './register.ts'

/** Registered again well before the record is over: a meeting place may have been restarted meanwhile. */
export const REGISTER_EVERY_MS = 10 * 60_000
const BACKOFF = { baseMs: 2_000, maxMs: 120_000 }
/** When one place holds it, the others get so long until that is said: one that is gone may take minutes to fail. */
const OTHERS_MS = 5_000

/** A signed record with its sequence number. */
export interface SignedRecord {
  readonly record: Uint8Array
  readonly sequence: number
}

/** What a registration is made of. */
export interface RegistrationParts<Place> {
  readonly serviceKey: Uint8Array
  /** The record as it is to be registered now. */
  readonly current: () => SignedRecord
  /** The record that takes the service back, when it ends; its sequence number is above the given one. */
  readonly withdrawal: ((sequence: number) => Pick<SignedRecord, 'record'>) | undefined
  /** How long taking it back may keep the end waiting: it is a courtesy, since records carry a time to live. */
  readonly withdrawMs: number
  /** Told that a place holds a record of this key with a higher sequence number. */
  readonly onSuperseded: ((sequence: number) => void) | undefined
  /** The meeting places. */
  readonly places: () => Promise<readonly Place[]>
  readonly ask: (place: Place, topic: string, body: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>
  readonly clock: Clock
  /** Told when the state changes; `cause`: the first error of a place. */
  readonly onState: ((state: AnnouncementState, reason: string, cause?: unknown) => void) | undefined
}

/** One service at the meeting places: registered with all of them, again before it is forgotten, and taken back at the end. */
export class Registration<Place> {
  readonly #parts: RegistrationParts<Place>
  readonly #upkeep: Upkeep
  #state: AnnouncementState = 'pending'
  /** Places that took it, in the last round and in the one that goes on: they are asked to forget it. */
  #held: readonly Place[] = []
  /** The last that was told. */
  #sequence = 0
  #stopping: Promise<void> | undefined

  constructor(parts: RegistrationParts<Place>) {
    this.#parts = parts
    this.#upkeep = new Upkeep({
      clock: parts.clock,
      backoff: BACKOFF,
      everyMs: REGISTER_EVERY_MS,
      work: (signal) => this.#register(signal),
      onFailure: (error) => this.#setState('failed', (error as Error).message, (error as Error).cause),
    })
    this.#upkeep.wake()
  }

  get state(): AnnouncementState {
    return this.#state
  }

  /** Registers now: the record has changed, or a place may be there again. */
  wake(): void {
    this.#upkeep.wake()
  }

  /** Takes it back. Never rejects. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { places, ask, clock, serviceKey, current, onSuperseded } = this.#parts
    const { record, sequence } = current()
    const all = await places()
    this.#sequence = sequence
    const holding: Place[] = []
    const announced = (): void =>
      this.#setState('announced', `${holding.length} of ${all.length} meeting places ${holding.length === 1 ? 'holds' : 'hold'} it`)
    let cancel: (() => void) | undefined
    const outcomes = await Promise.allSettled(
      all.map(async (place) => {
        const newer = await registerRecord((topic, body) => ask(place, topic, body, signal), record, { now: clock.now(), serviceKey })
        if (newer !== undefined) return newer.sequence
        holding.push(place)
        this.#held = [...this.#held, place]
        cancel ??= clock.after(OTHERS_MS, announced, { unref: true })
        return 0
      }),
    )
    cancel?.()
    if (signal.aborted) return
    const newest = Math.max(0, ...outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 0)))
    if (newest >= sequence) onSuperseded?.(newest)
    if (holding.length === 0) throw whyNot(all.length, outcomes, newest)
    this.#held = holding
    announced()
  }

  async #stop(): Promise<void> {
    const { ask, serviceKey, withdrawal, withdrawMs, clock } = this.#parts
    await this.#upkeep.stop()
    const gone = this.#held.length === 0 ? undefined : withdrawal?.(this.#sequence)
    if (gone === undefined) return
    const signal = AbortSignal.timeout(withdrawMs)
    const now = clock.now()
    await Promise.allSettled(
      [...new Set(this.#held)].map((place) =>
        registerRecord((topic, body) => ask(place, topic, body, signal), gone.record, { now, serviceKey }),
      ),
    )
  }

  #setState(state: AnnouncementState, reason: string, cause?: unknown): void {
    if (this.#state === state || this.#stopping !== undefined) return
    this.#state = state
    this.#parts.onState?.(state, reason, cause)
  }
}

function whyNot(places: number, outcomes: readonly PromiseSettledResult<unknown>[], newest: number): Error {
  if (places === 0) return new UnreachableError('no meeting place is known')
  if (newest > 0) return new UnreachableError(`the meeting places hold another record of this key, with sequence number ${newest}`)
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  const [first] = failures
  return new UnreachableError(`no meeting place takes it: ${first instanceof Error ? first.message : 'none answers'}`, { cause: first })
}
