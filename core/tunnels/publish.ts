import type { PublishSetup, Tunnel } from './publish-setup.ts'
import { Publisher } from './publisher.ts'

/**
 * Publishes a local service through a chain of backends. Resolves when the first endpoint is up; after that a failure of a network is an
 * event, and the tunnel goes on trying until it is stopped.
 * @throws BeamError when no backend can carry it, when the choice of backends is refused, or (`requireService`) when nothing listens;
 *   the signal's reason when it fires. Nothing is left behind then.
 */
export async function publishTunnel(setup: PublishSetup): Promise<Tunnel> {
  const publisher = new Publisher(setup)
  await publisher.start(setup)
  return publisher
}
