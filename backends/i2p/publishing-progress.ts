import type { Clock, Progress } from '../../core/index.ts'
import { PROGRESS_EVERY_MS } from './constants.ts'
import type { CheckStage } from './self-check.ts'
import type { TunnelShape } from './session-options.ts'

/** Tells people how far a tunnel is, and why it stands still: on the real network it takes minutes. */
export class PublishingProgress {
  readonly #shape: TunnelShape
  readonly #clock: Clock
  readonly #tell: (progress: Progress) => void
  #startedAt = 0
  #phase = ''
  #isReady = false
  #stopReminding: (() => void) | undefined

  constructor(shape: TunnelShape, clock: Clock, tell: (progress: Progress) => void) {
    this.#shape = shape
    this.#clock = clock
    this.#tell = tell
  }

  /** The router was asked for a session. */
  asked(): void {
    this.stop()
    this.#startedAt = this.#clock.monotonic()
    this.#phase = ''
    this.#isReady = false
    this.#enter('building')
    this.#stopReminding = this.#clock.every(PROGRESS_EVERY_MS, () => this.#say())
  }

  /** The router has tunnels for it. */
  ready(): void {
    this.#isReady = true
    if (this.#phase === 'building') this.#enter('publishing')
  }

  /** How far the look from outside is. */
  stage(stage: CheckStage): void {
    if (stage === 'looking' && this.#phase === 'building') this.#enter('publishing')
    if (stage === 'found') this.#enter('published')
    if (stage === 'reached') this.#enter('reachable')
  }

  stop(): void {
    this.#stopReminding?.()
    this.#stopReminding = undefined
  }

  /** What is missing, when it took too long. */
  unreached(): string {
    return `Nobody could reach the service yet. ${this.#message()}`
  }

  #enter(phase: string): void {
    if (this.#phase === phase) return
    this.#phase = phase
    this.#say()
    if (phase === 'reachable') this.stop()
  }

  #say(): void {
    this.#tell({ phase: this.#phase, message: this.#message() })
  }

  #message(): string {
    const seconds = Math.round((this.#clock.monotonic() - this.#startedAt) / 1_000)
    const since = seconds < 5 ? '' : ` (${seconds} s so far)`
    const { length, quantity } = this.#shape
    const hops = length === 0 ? 'without hops' : `of ${length} ${length === 1 ? 'hop' : 'hops'}`
    switch (this.#phase) {
      case 'building':
        return seconds < 60
          ? `The router builds ${quantity} tunnels ${hops} each way${since}. A router that was just started needs some minutes to know the network.`
          : `The router has no tunnels yet${since}: it is still getting to know the network, which takes 3 to 10 minutes after a cold start.`
      case 'publishing':
        return this.#isReady
          ? `The tunnels are there; the lease set is not found at the floodfills yet${since}. The router may publish it with its next tunnels only.`
          : `The lease set is being published to the floodfills${since}.`
      case 'published':
        return `Published: the lease set is found${since}. Now a visit to ourselves.`
      default:
        return `Reachable: a visit through the network came back${since}.`
    }
  }
}
