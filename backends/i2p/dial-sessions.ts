import { BackendUnavailableError, type Clock, type Logger } from '../../core/index.ts'
import { DIAL_SESSION_IDLE_MS, MAX_DIAL_SESSIONS } from './constants.ts'
import type { SamEndpoint } from './sam/connection.ts'
import { SamSession } from './sam/session.ts'
import { diallingOptions, type TunnelShape } from './session-options.ts'

/** What tells sessions apart. Streams of different sessions have different destinations and tunnels. */
export interface SessionKind {
  readonly isolation: string | undefined
  /** For encrypted lease sets. */
  readonly clientKey: Buffer | undefined
  /** A private key, for a destination that stays the same. */
  readonly key: string | undefined
}

/** What the sessions need. */
export interface DialSessionsSetup {
  readonly sam: (signal: AbortSignal) => Promise<SamEndpoint>
  readonly shape: TunnelShape
  readonly clock: Clock
  readonly logger: Logger
}

interface Entry {
  readonly session: Promise<SamSession>
  users: number
  retired: boolean
  cancelIdle: () => void
}

/** A session in use. Its user lets it go when its stream is closed. */
export interface Borrowed {
  readonly session: SamSession
  release(): void
  /** The next streams are to have another session: this one knows a lease set that leads nowhere, and keeps it for minutes. */
  retire(): void
}

/** The sessions through which this Beam dials: one for each isolation value, made when it is asked for, closed when nobody used it for a while. */
export class DialSessions {
  readonly #setup: DialSessionsSetup
  readonly #entries = new Map<string, Entry>()
  /** Those that only serve the streams that they have. */
  readonly #retired = new Set<Entry>()
  readonly #ended = new AbortController()

  constructor(setup: DialSessionsSetup) {
    this.#setup = setup
  }

  get size(): number {
    return this.#entries.size + this.#retired.size
  }

  async borrow(kind: SessionKind, signal: AbortSignal | undefined): Promise<Borrowed> {
    const id = idOf(kind)
    const entry = this.#entries.get(id) ?? this.#open(id, kind)
    entry.users++
    entry.cancelIdle()
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      entry.users--
      if (entry.users > 0) return
      if (entry.retired) this.#drop(id, entry)
      // One that is gone already needs nobody to close it.
      else if (this.#entries.get(id) === entry)
        entry.cancelIdle = this.#setup.clock.after(DIAL_SESSION_IDLE_MS, () => this.#drop(id, entry), { unref: true })
    }
    const retire = (): void => {
      entry.retired = true
      if (this.#entries.get(id) === entry) this.#entries.delete(id)
      if (entry.users === 0) this.#drop(id, entry)
      else this.#retired.add(entry)
    }
    try {
      return { session: await untilAborted(entry.session, signal), release, retire }
    } catch (error) {
      release()
      throw error
    }
  }

  close(): void {
    this.#ended.abort(new BackendUnavailableError('The I2P backend was stopped.'))
    for (const [id, entry] of this.#entries) this.#drop(id, entry)
    for (const entry of this.#retired) this.#drop('', entry)
  }

  #open(id: string, kind: SessionKind): Entry {
    this.#makeRoom()
    const entry: Entry = { session: this.#make(kind), users: 0, retired: false, cancelIdle: () => {} }
    this.#entries.set(id, entry)
    const forget = (): void => {
      entry.cancelIdle()
      if (this.#entries.get(id) === entry) this.#entries.delete(id)
    }
    // One that the router lost is not used again: the next stream makes a new one.
    entry.session.then((session) => void session.closed.then(forget), forget)
    return entry
  }

  async #make({ clientKey, key }: SessionKind): Promise<SamSession> {
    const { sam, shape, clock } = this.#setup
    const { signal } = this.#ended
    const options = diallingOptions({ ...shape, quantity: Math.min(shape.quantity, 2) }, clientKey)
    return SamSession.open({ at: await sam(signal), key, options, clock, signal })
  }

  /** Closes the one that was idle longest. Sharing one instead would let the network link what was to be kept apart. */
  #makeRoom(): void {
    if (this.#entries.size < MAX_DIAL_SESSIONS) return
    for (const [id, entry] of this.#entries) if (entry.users === 0) return this.#drop(id, entry)
    throw new BackendUnavailableError(`${MAX_DIAL_SESSIONS} isolated I2P sessions are in use already.`, {
      hint: 'Each isolation value has tunnels of its own. Close connections of one of them first.',
    })
  }

  #drop(id: string, entry: Entry): void {
    entry.cancelIdle()
    if (this.#entries.get(id) === entry) this.#entries.delete(id)
    this.#retired.delete(entry)
    entry.session.then(
      (session) => session.close(),
      () => {},
    )
  }
}

function idOf({ isolation, clientKey, key }: SessionKind): string {
  return JSON.stringify([isolation ?? '', clientKey?.toString('hex') ?? '', key ?? ''])
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
