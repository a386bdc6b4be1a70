import type { Socket } from 'node:net'
import type { Clock } from '../../../core/index.ts'
import { CONNECT_LIMIT_MS } from '../constants.ts'
import { streamConnect } from './commands.ts'
import { SamConnection, type SamEndpoint } from './connection.ts'
import { refusalOf } from './refusal.ts'
import { valueOf } from './reply.ts'

/**
 * A stream from a session to a destination. The router says OK when it has the lease set and sends the first packet, not when somebody
 * answers: with a lease set that it still knows, of a publisher who has left, nothing ever comes.
 * @throws UnreachableError, BackendUnavailableError, or the signal's reason
 */
export async function openStream(
  at: SamEndpoint,
  sessionId: string,
  destination: string,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<Socket> {
  const connection = await SamConnection.open(at, { clock, signal })
  const reply = await connection.command(streamConnect(sessionId, destination), { limitMs: CONNECT_LIMIT_MS, signal })
  if (valueOf(reply, 'RESULT') === 'OK') return connection.socket
  connection.close()
  throw refusalOf(reply)
}
