import { backoffDelayMs, sleep, type Clock, type Logger } from '../../core/index.ts'
import { RECONNECT, RECREATE_MS, RECREATE_UNANSWERED_MS, STALE_STATUS_MS, STALE_WAITS_MS } from './constants.ts'
import type { SamEndpoint } from './sam/connection.ts'
import { Forward } from './sam/forward.ts'
import { SamSession } from './sam/session.ts'

/** What a keeper is made of. */
export interface KeeperSetup {
  /** Where SAM is now: a private router may come back on another port. */
  readonly sam: (signal: AbortSignal) => Promise<SamEndpoint>
  /** The private key. */
  readonly key: string
  readonly options: ReadonlyMap<string, string>
  /** Where streams are to be delivered. */
  readonly port: number
  readonly clock: Clock
  readonly logger: Logger
  /** The router has the session and delivers. Told each time that it has it anew. */
  readonly onUp: (session: SamSession) => void
  readonly onDown: (reason: string) => void
  /** What is waited for, for people. */
  readonly onWait: (message: string) => void
}

interface Held {
  readonly session: SamSession
  readonly forward: Forward
}

/** Keeps a session and its forwarding with the same keys: across restarts of the router, and whatever else ends them. */
export class SessionKeeper {
  readonly #setup: KeeperSetup
  readonly #ended = new AbortController()
  #held: Held | undefined

  constructor(setup: KeeperSetup) {
    this.#setup = setup
  }

  get session(): SamSession | undefined {
    return this.#held?.session
  }

  /** Brings the session up once, and keeps it from then on. Rejects when that fails. */
  async start(signal: AbortSignal): Promise<void> {
    this.#held = await this.#bringUp(AbortSignal.any([signal, this.#ended.signal]))
    this.#setup.onUp(this.#held.session)
    void this.#keep().catch((error: unknown) => this.#setup.logger.error('session given up', { reason: (error as Error).message }))
  }

  /** Makes the session anew, for one that no longer works although the router says nothing. */
  renew(reason: string): void {
    this.#held?.session.close(new Error(reason))
  }

  close(): void {
    this.#ended.abort(new Error('the tunnel was stopped'))
    this.#held?.session.close()
    this.#held?.forward.close()
    this.#held = undefined
  }

  async #keep(): Promise<void> {
    const { signal } = this.#ended
    while (!signal.aborted) {
      const held = this.#held as Held
      const lost = await Promise.race([held.session.closed, held.forward.closed])
      if (signal.aborted) return
      // Where the session lives on, only the forwarding is asked for again.
      if (held.session.alive && (await this.#forwardAgain(held.session))) continue
      held.session.close()
      held.forward.close()
      const reason = lost instanceof Error ? lost.message : 'The I2P router no longer delivers visitors.'
      this.#setup.onDown(reason)
      await this.#comeBack(held.session)
    }
  }

  async #forwardAgain(session: SamSession): Promise<boolean> {
    const { signal } = this.#ended
    try {
      // The session's own end comes in one of the next turns when the router has gone.
      await sleep(50, { clock: this.#setup.clock, signal })
      if (!session.alive) return false
      const forward = await this.#forward(session, signal)
      this.#held = { session, forward }
      return true
    } catch {
      return false
    }
  }

  /** Tries until the session is there again. */
  async #comeBack(last: SamSession): Promise<void> {
    const { clock, logger, onUp, onWait } = this.#setup
    const { signal } = this.#ended
    let waitMs = restAfter(last, clock)
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await sleep(waitMs, { clock, signal })
        this.#held = await this.#bringUp(signal)
        return onUp(this.#held.session)
      } catch (error) {
        if (signal.aborted) return
        waitMs = RECREATE_MS + backoffDelayMs(attempt, RECONNECT)
        const { message } = error as Error
        logger.debug('session not up again', { reason: message })
        onWait(`${message} Trying again in ${Math.round(waitMs / 1000)} s.`)
      }
    }
  }

  /**
   * A session and its forwarding. A router that says ready at once has taken up a destination with these keys that it is about to end, five
   * seconds after somebody closed it: that session is let go, and one with a fresh destination made after a rest.
   */
  async #bringUp(signal: AbortSignal): Promise<Held> {
    const { sam, key, options, clock, onWait } = this.#setup
    for (let attempt = 0; ; attempt++) {
      const session = await SamSession.open({ at: await sam(signal), key, options, clock, signal })
      try {
        const early = Promise.race([session.ready, sleep(STALE_STATUS_MS, { clock, signal })])
        early.catch(() => {})
        const forward = await this.#forward(session, signal)
        await early
        const restMs = STALE_WAITS_MS[attempt]
        if (!session.stale || restMs === undefined) return { session, forward }
        forward.close()
        session.close()
        onWait(`The router still has this address from before and is about to end it: waiting ${restMs / 1000} s.`)
        await sleep(restMs, { clock, signal })
      } catch (error) {
        session.close()
        // What the session says of its end explains more than what its forwarding says.
        throw signal.aborted || session.alive ? error : await preferSession(session, error)
      }
    }
  }

  async #forward(session: SamSession, signal: AbortSignal): Promise<Forward> {
    const { sam, port, clock } = this.#setup
    return Forward.open(await sam(signal), session, port, { clock, signal })
  }
}

/** How long the router must be left alone before it gets the same keys again. */
function restAfter(session: SamSession, clock: Clock): number {
  return session.isReady ? RECREATE_MS : Math.max(RECREATE_MS, session.createdAt + RECREATE_UNANSWERED_MS - clock.monotonic())
}

async function preferSession(session: SamSession, error: unknown): Promise<unknown> {
  const reason = await session.closed
  return reason.message === 'The session was closed.' ? error : reason
}
