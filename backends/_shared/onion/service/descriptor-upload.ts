import { BackendUnavailableError, type Clock } from '../../../../core/index.ts'
import { until } from '../until.ts'

/** Uploading a descriptor takes two to ten seconds once circuits are there; after a minute and a half it will not come by waiting. */
const UPLOAD_LIMIT_MS = 90_000

/** Follows a service's descriptor on its way to the directories of the network. One upload that succeeded makes the service findable. */
export class DescriptorUpload {
  readonly #clock: Clock
  readonly #limitMs: number
  #done = false
  #lastFailure: string | undefined
  #told: () => void = () => {}

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
}

function notUploaded(limitMs: number, reason: string | undefined): BackendUnavailableError {
  const why = reason === undefined ? '' : ` The directories answered ${reason}.`
  return new BackendUnavailableError(`The onion service’s descriptor could not be uploaded within ${limitMs / 1000} s.${why}`, {
    hint: 'The network may be slow or overloaded; Beam tries again.',
  })
}
