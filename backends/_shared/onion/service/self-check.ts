import { randomBytes } from 'node:crypto'
import { isBeamError, type BeamError, type Clock } from '../../../../core/index.ts'
import type { DaemonSession } from '../daemon/session.ts'
import type { Flavour } from '../flavour.ts'
import { SOCKS, socksError } from '../socks/socks-error.ts'
import { socksConnect } from '../socks/socks-client.ts'
import type { SocksUser } from '../socks/socks-message.ts'

/** What a check needs. */
export interface ReachSetup {
  readonly session: DaemonSession
  readonly flavour: Flavour
  /** Id and suffix. */
  readonly host: string
  /** Ports that the service offers, as far as they are known. */
  readonly ports: readonly number[]
  /** Who asks; a value of its own gets circuits of its own. */
  readonly user: SocksUser
  readonly networkUp: boolean
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Reaches a service end to end without touching what is behind it: a port is asked for that it does not offer, and only the service itself
 * can refuse that. Undefined = reached.
 */
export async function reachService({
  session,
  flavour,
  host,
  ports,
  user,
  networkUp,
  clock,
  signal,
}: ReachSetup): Promise<BeamError | undefined> {
  if (session.socks === undefined) return undefined
  const port = unusedPort(ports)
  const dial = { proxy: session.socks, host, port, user, clock, signal }
  let result
  try {
    result = await socksConnect(dial)
  } catch (error) {
    if (signal.aborted || !isBeamError(error)) throw error
    return error
  }
  if ('socket' in result) {
    result.socket.on('error', () => {}).destroy()
    return undefined
  }
  return REACHED.has(result.code) ? undefined : socksError(result.code, { flavour, address: { port }, networkUp })
}

/** Refusals that only the service itself can have given. */
const REACHED: ReadonlySet<number> = new Set([SOCKS.refused])

/** A port from the dynamic range (RFC 6335 section 6) that is none of these. */
function unusedPort(ports: readonly number[]): number {
  for (;;) {
    const port = 49_152 + (randomBytes(2).readUInt16BE() % 16_384)
    if (!ports.includes(port)) return port
  }
}
