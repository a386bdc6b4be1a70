import { BackendUnavailableError, sleep, type Clock } from '../../../core/index.ts'
import { FORWARD_LIMIT_MS, SESSION_LIMIT_MS, UNKNOWN_ID_WAITS_MS } from '../constants.ts'
import { streamForward } from './commands.ts'
import { SamConnection, type SamEndpoint } from './connection.ts'
import { refusalOf } from './refusal.ts'
import { valueOf } from './reply.ts'
import type { SamSession } from './session.ts'

/** Visitors' streams come to a local port as long as one connection to the router is open. */
export class Forward {
  /** Resolves when the router no longer forwards. */
  readonly closed: Promise<void>
  readonly #connection: SamConnection

  private constructor(connection: SamConnection) {
    this.#connection = connection
    const { socket } = connection
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    // Nothing is said on it any more; its end is the signal. An unread one would never be seen to end.
    socket.once('end', () => socket.destroy())
    socket.on('data', () => {}).resume()
    if (socket.destroyed || socket.readableEnded) socket.destroy()
  }

  /** Asks for it until the session is known to the router: i2pd knows it some milliseconds after it was asked, the Java router later. */
  static async open(at: SamEndpoint, session: SamSession, port: number, options: { clock: Clock; signal: AbortSignal }): Promise<Forward> {
    const { clock, signal } = options
    const [first, longest] = UNKNOWN_ID_WAITS_MS
    const deadline = clock.monotonic() + SESSION_LIMIT_MS
    for (let waitMs: number = first; ; waitMs = Math.min(waitMs * 2, longest)) {
      const connection = await SamConnection.open(at, { clock, signal })
      // Of refusals i2pd tells with SESSION STATUS instead of STREAM STATUS; what counts is the result.
      const reply = await connection.command(streamForward(session.id, port), { limitMs: FORWARD_LIMIT_MS, signal })
      if (valueOf(reply, 'RESULT') === 'OK') return new Forward(connection)
      connection.close()
      if (valueOf(reply, 'RESULT') !== 'INVALID_ID') throw refusalOf(reply)
      if (!session.alive) throw await session.closed
      if (clock.monotonic() > deadline) {
        throw new BackendUnavailableError(`The I2P router had no session within ${SESSION_LIMIT_MS / 60_000} minutes.`, {
          hint: 'It may have no tunnels yet: look at its console.',
        })
      }
      await sleep(waitMs, { clock, signal })
    }
  }

  close(): void {
    this.#connection.close()
  }
}
