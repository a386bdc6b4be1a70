import { openLocal, openPublisher, type CarrierFlags } from './open-publisher.ts'
import { isLost, publishUntilEnd, type Session } from './publish-session.ts'

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
    if (by !== 'daemon' || flags.detach === true || !isLost(error) || session.lifetime.signal.aborted) throw error
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
