import type { Http2Session } from 'node:http2'
import { MAX_STREAM_WINDOW_BYTES } from './constants.ts'
import { streamWindowBytes } from './windows.ts'

/**
 * Keeps the windows of a link's streams fitting to their number. One change is under way at a time: a session that sends settings faster
 * than the far end confirms them is ended by Node.
 */
export class WindowKeeper {
  readonly #session: Http2Session
  readonly #budgetBytes: number
  #window = MAX_STREAM_WINDOW_BYTES
  #openStreams = 0
  #waiting = false

  constructor(session: Http2Session, budgetBytes: number) {
    this.#session = session
    this.#budgetBytes = budgetBytes
  }

  fit(openStreams: number): void {
    this.#openStreams = openStreams
    const window = streamWindowBytes(openStreams, this.#budgetBytes)
    if (window === this.#window || this.#waiting || this.#session.destroyed || this.#session.closed) return
    this.#window = window
    this.#waiting = true
    this.#session.settings({ initialWindowSize: window }, () => {
      this.#waiting = false
      this.fit(this.#openStreams)
    })
  }
}
