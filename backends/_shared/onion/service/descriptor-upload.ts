import { BackendUnavailableError, type Clock } from '../../../../core/index.ts'
import { until } from '../until.ts'

/** Uploading a descriptor takes two to ten seconds once circuits are there; after a minute and a half it will not come by waiting. */
const UPLOAD_LIMIT_MS = 90_000
/**
 * A service has several descriptors, for this and the next period of time, and each goes to several directories; uploads of one round follow
 * each other within a second or two. Where no check tells that visitors get through, the round is waited for.
 */
const QUIET_MS = 2_000
const ROUND_LIMIT_MS = 15_000

/** Follows a service's descriptor on its way to the directories of the network. One upload that succeeded makes the service findable. */
export class DescriptorUpload {
  readonly #clock: Clock
  readonly #limitMs: number
  #done = false
  #lastFailure: string | undefined
  #told: () => void = () => {}
  #stirred: () => void = () => {}

  /** `stallMs` is how long the user lets things stand still; a shorter one than ours counts here too. */
  constructor(clock: Clock, stallMs: number) {
    this.#clock = clock
    this.#limitMs = Math.min(UPLOAD_LIMIT_MS, stallMs)
  }

  get done(): boolean {
    return this.#done
  }

  /** Takes an `HS_DESC` event of the service. */
  onEvent(action: string, reason: string | undefined): void {
    this.#stirred()
    if (action === 'FAILED') this.#lastFailure = reason
    if (action !== 'UPLOADED') return
    this.#done = true
    this.#told()
  }

  /** @throws BackendUnavailableError when it does not come; the signal's reason */
  wait(signal: AbortSignal): Promise<void> {
    return until(signal, (resolve, reject) => {
      this.#told = () => resolve()
      if (this.#done) resolve()
      return this.#clock.after(this.#limitMs, () => reject(notUploaded(this.#limitMs, this.#lastFailure)))
    })
  }

  /** Resolves when no more is heard of further uploads. @throws the signal's reason */
  round(signal: AbortSignal): Promise<void> {
    return until(signal, (resolve) => {
      const cancelLimit = this.#clock.after(ROUND_LIMIT_MS, resolve)
      let cancelQuiet = this.#clock.after(QUIET_MS, resolve)
      this.#stirred = () => {
        cancelQuiet()
        cancelQuiet = this.#clock.after(QUIET_MS, resolve)
      }
      return () => {
        cancelLimit()
        cancelQuiet()
        this.#stirred = () => {}
      }
    })
  }
}

function notUploaded(limitMs: number, reason: string | undefined): BackendUnavailableError {
  const why = reason === undefined ? '' : ` The directories answered ${reason}.`
  return new BackendUnavailableError(`The onion service’s descriptor could not be uploaded within ${limitMs / 1000} s.${why}`, {
    hint: 'The network may be slow or overloaded; Beam tries again.',
  })
}
