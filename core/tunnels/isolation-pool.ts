import { ConfigError } from '../errors.ts'

/** Most groups: each costs its network a circuit of its own, and Tor builds 32 at a time at most. */
const MAX_GROUPS = 32

/** A place in a group, until it is given back. */
export interface IsolationPlace {
  /** What goes into `DialOptions.isolation`. */
  readonly isolation: string
  release(): void
}

/**
 * Isolation groups over which connections are spread, so that a network with circuits (Tor) carries them side by side. The least used group
 * comes first, so that connections one after the other stay on a circuit that is built already.
 */
export class IsolationPool {
  readonly #groups: { readonly isolation: string; open: number }[]

  /**
   * @param isolation - the first group's value; the others add a number to it
   * @throws ConfigError (`BEAM_ERR_USAGE`) when `size` is no whole number from 1 to 32
   */
  constructor(isolation: string, size: number) {
    if (!Number.isInteger(size) || size < 1 || size > MAX_GROUPS) {
      throw new ConfigError(`${size} circuits: a whole number from 1 to ${MAX_GROUPS} is needed.`, { code: 'BEAM_ERR_USAGE' })
    }
    this.#groups = Array.from({ length: size }, (_, index) => ({ isolation: index === 0 ? isolation : `${isolation}-${index}`, open: 0 }))
  }

  /** A place in the group with the fewest connections. */
  take(): IsolationPlace {
    const group = this.#groups.reduce((best, one) => (one.open < best.open ? one : best))
    group.open += 1
    let released = false
    return {
      isolation: group.isolation,
      release: () => {
        if (released) return
        released = true
        group.open -= 1
      },
    }
  }
}
