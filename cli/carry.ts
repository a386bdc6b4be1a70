import { isBeamError } from '../core/errors.ts'
import { openLocal, openPublisher, type CarrierFlags } from './open-publisher.ts'
import { publishUntilEnd, type Session } from './publish-session.ts'

/**
 * Publishes services by whoever is to carry them, until they end. When the daemon is lost (killed, not stopped), this process goes on in
 * its place: a command's tunnels live as long as the command. Errors as {@link publishUntilEnd}.
 */
export async function carry(options: { readonly flags: CarrierFlags } & Omit<Session, 'publisher'>): Promise<void> {
  const { flags, ...session } = options
  const { publisher, by } = await openPublisher(flags, session.onEvent)
  try {
    await using carrier = publisher
    return await publishUntilEnd({ publisher: carrier, ...session })
  } catch (error) {
    const isLost = by === 'daemon' && !flags.detach && isBeamError(error) && error.code === 'BEAM_ERR_DAEMON_LOST'
    if (!isLost || session.lifetime.signal.aborted) throw error
  }
  session.onEvent({
    event: 'warning',
    code: 'BEAM_WARN_DAEMON_LOST',
    message:
      'The daemon is gone, so this command carries its tunnels itself. Those with a name keep their address; the others get a new one.',
  })
  await using carrier = await openLocal(flags)
  await publishUntilEnd({ publisher: carrier, ...session })
}
