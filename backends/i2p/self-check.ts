import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { isBeamError, sleep, UnreachableError, type Clock } from '../../core/index.ts'
import { CHECK_ANSWER_MS, LOOKUP_WAIT_MS, NO_TUNNELS_WAIT_MS, ASKED_MS } from './constants.ts'
import { generateKeys } from './keys.ts'
import type { Relay } from './relay.ts'
import type { SamEndpoint } from './sam/connection.ts'
import { openStream } from './sam/open-stream.ts'
import { readLine } from './sam/read-line.ts'
import { SamSession } from './sam/session.ts'
import { diallingOptions, type TunnelShape } from './session-options.ts'

/** How far a look at the own service got. */
export type CheckStage = 'building' | 'looking' | 'found' | 'reached'

/** What a look needs. */
export interface CheckSetup {
  readonly at: SamEndpoint
  readonly relay: Relay
  /** The address that visitors use. */
  readonly host: string
  /** Where the lease set is for known visitors only. */
  readonly clientKey: Buffer | undefined
  readonly shape: TunnelShape
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onStage: (stage: CheckStage) => void
}

/**
 * Visits the own service as a stranger would: through a session with keys of the moment, whose lookup goes to the floodfills and whose stream
 * comes back through the tunnels of both. Resolves when the relay's word has come back. It tries until the signal fires.
 */
export async function checkReachable(setup: CheckSetup): Promise<void> {
  const { at, relay, clock, shape, clientKey, signal, onStage } = setup
  const { secret, b32 } = await generateKeys(at, { clock, signal })
  const word = randomBytes(16).toString('hex')
  const options = diallingOptions({ ...shape, quantity: Math.min(shape.quantity, 2) }, clientKey)
  const session = await SamSession.open({ at, key: secret, options, clock, signal })
  const forget = relay.expect(b32, word)
  try {
    onStage('building')
    for (;;) {
      const waitMs = await attempt(setup, session, word)
      if (waitMs === undefined) return onStage('reached')
      await sleep(waitMs, { clock, signal })
    }
  } finally {
    forget()
    session.close()
  }
}

/**
 * One try. Undefined when it got through, else how long to wait before the next. A lease set that was found and leads nowhere is one of before
 * (the router was killed, the keys moved): the session keeps it for minutes, so the look ends, and the next one has a session of its own.
 */
async function attempt(setup: CheckSetup, session: SamSession, word: string): Promise<number | undefined> {
  const { at, host, clock, signal, onStage } = setup
  const startedAt = clock.monotonic()
  let socket: Socket
  try {
    socket = await openStream(at, session.id, host, { clock, signal })
  } catch (error) {
    signal.throwIfAborted()
    if (!session.alive) throw await session.closed
    const asked = clock.monotonic() - startedAt >= ASKED_MS
    if (asked) onStage('looking')
    const unknown = isBeamError(error) && error.code === 'BEAM_ERR_NOT_FOUND'
    return unknown && !asked ? NO_TUNNELS_WAIT_MS : LOOKUP_WAIT_MS
  }
  try {
    onStage('found')
    const line = await readLine(socket, { maxBytes: 256, limitMs: CHECK_ANSWER_MS, clock, signal })
    if (line === word) return undefined
    throw new UnreachableError('Somebody else answered.')
  } finally {
    socket.destroy()
  }
}
