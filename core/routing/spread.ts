/**
 * Spreads choices in proportion to shares, as evenly as it goes and without chance: smooth weighted round robin, as nginx does it
 * (https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1).
 */
export class WeightedSpread<Key> {
  readonly #credit = new Map<Key, number>()

  /** The next one; undefined when there is none with a share. */
  next(shares: ReadonlyMap<Key, number>): Key | undefined {
    for (const key of this.#credit.keys()) if (!shares.has(key)) this.#credit.delete(key)
    let total = 0
    let best: Key | undefined
    let most = -Infinity
    for (const [key, share] of shares) {
      if (share <= 0) continue
      total += share
      const credit = (this.#credit.get(key) ?? 0) + share
      this.#credit.set(key, credit)
      if (credit <= most) continue
      most = credit
      best = key
    }
    if (best !== undefined) this.#credit.set(best, most - total)
    return best
  }
}
