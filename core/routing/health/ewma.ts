/**
 * A mean that forgets: each sample counts half as much after every half-life. Kept as a weighted sum and a sum of weights, so that samples
 * may come at any distance, several at one moment included, and nothing has to be known of the rhythm in which they come. Pure.
 */
export class Ewma {
  readonly #halfLifeMs: number
  #sum = 0
  #weight = 0
  #at = 0

  /** @param halfLifeMs - after so many milliseconds a sample counts half */
  constructor(halfLifeMs: number) {
    if (!(halfLifeMs > 0)) throw new RangeError('a half-life is longer than nothing')
    this.#halfLifeMs = halfLifeMs
  }

  /** Takes a sample. `atMs` is monotonic time; a moment before the last one counts as that one. */
  add(sample: number, atMs: number): void {
    const kept = this.#kept(atMs)
    this.#sum = this.#sum * kept + sample
    this.#weight = this.#weight * kept + 1
    this.#at = Math.max(this.#at, atMs)
  }

  /** The mean; undefined before the first sample. It does not change by waiting: what fades is its {@link weight}. */
  get value(): number | undefined {
    return this.#weight === 0 ? undefined : this.#sum / this.#weight
  }

  /** How many fresh samples the mean is worth at a moment: how far it is to be believed. */
  weight(atMs: number): number {
    return this.#weight * this.#kept(atMs)
  }

  #kept(atMs: number): number {
    return 2 ** (-Math.max(0, atMs - this.#at) / this.#halfLifeMs)
  }
}
