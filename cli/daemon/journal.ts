import type { PublishEvent } from '../../core/tunnels/events.ts'
import { MAX_HISTORY, MAX_HISTORY_BYTES } from './protocol.ts'

/** An event with its time. */
export interface Entry {
  readonly at: string
  readonly event: PublishEvent
}

/** The id of the tunnel that an event is about. */
export function tunnelOf(event: PublishEvent): string | undefined {
  return event.event === 'ready' ? event.tunnel.id : event.tunnel
}

/** What happened to the tunnels of a process: the last events, and whoever listens to new ones. */
export class Journal {
  readonly #entries: Array<{ readonly entry: Entry; readonly bytes: number }> = []
  #bytes = 0
  readonly #listeners = new Set<(entry: Entry) => void>()

  add(event: PublishEvent): void {
    const entry = { at: new Date().toISOString(), event }
    const bytes = JSON.stringify(entry).length
    this.#entries.push({ entry, bytes })
    this.#bytes += bytes
    while (this.#entries.length > MAX_HISTORY || this.#bytes > MAX_HISTORY_BYTES) this.#bytes -= this.#entries.shift()?.bytes ?? 0
    for (const listener of [...this.#listeners]) listener(entry)
  }

  /** The last events, oldest first; of one tunnel when its id is given. */
  last(count: number, tunnel?: string): readonly Entry[] {
    if (count === 0) return []
    const entries = this.#entries.map(({ entry }) => entry)
    return entries.filter(({ event }) => tunnel === undefined || tunnelOf(event) === tunnel).slice(-count)
  }

  /** Hears every new event until the returned function is called. */
  listen(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
