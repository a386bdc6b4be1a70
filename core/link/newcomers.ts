import type { Duplex } from 'node:stream'

/**
 * Connections that have not said yet what they are for, a bounded number of them. The oldest makes room for the next: whoever means it is done
 * within a round trip or two, and whoever holds connections open to keep others out only loses his own.
 */
export class Newcomers {
  readonly #max: number
  /** In the order in which they came. */
  readonly #waiting = new Map<string, Duplex>()

  constructor(max: number) {
    this.#max = max
  }

  /** Takes one in until `settled` is called with the same place, or until it closes. */
  add(place: string, connection: Duplex): void {
    const [oldest] = this.#waiting
    if (oldest !== undefined && this.#waiting.size >= this.#max) {
      this.#waiting.delete(oldest[0])
      oldest[1].destroy()
    }
    this.#waiting.set(place, connection)
    connection.once('close', () => {
      if (this.#waiting.get(place) === connection) this.#waiting.delete(place)
    })
  }

  /** What comes from this place has said what it is for. */
  settled(place: string): void {
    this.#waiting.delete(place)
  }
}
