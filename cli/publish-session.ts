import { BackendUnavailableError } from '../core/errors.ts'
import type { PublishEvent } from '../core/tunnels/events.ts'
import type { PublishOptions, PublishTarget } from '../plugins/beam.ts'
import type { Published, Publisher } from './daemon/publisher.ts'
import type { Lifetime } from './lifetime.ts'

/** A local service and how it is published. */
export interface Service {
  readonly target: PublishTarget
  readonly options: Omit<PublishOptions, 'id' | 'onStream' | 'onEvent' | 'signal'>
}

/** How several services are published together. */
export interface Session {
  readonly publisher: Publisher
  readonly services: readonly Service[]
  readonly onEvent: (event: PublishEvent) => void
  readonly lifetime: Lifetime
  /** Told of a service that could not be published, while the others go on. Without it, all are published or none. */
  readonly onFailure?: (service: Service, error: unknown) => void
}

/**
 * Publishes services and resolves when they ended because somebody asked for it, or when the daemon keeps them.
 * @throws the error of a service that could not be published; with `onFailure`, only when all of them could not.
 */
export async function publishUntilEnd({ publisher, services, onEvent, lifetime, onFailure }: Session): Promise<void> {
  const attempts = await Promise.allSettled(
    services.map(async (service) => {
      try {
        return await publisher.publish(service.target, { ...service.options, onEvent, signal: lifetime.signal })
      } catch (error) {
        if (!lifetime.signal.aborted) onFailure?.(service, error)
        throw error
      }
    }),
  )
  const published = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  const failed = attempts.find((attempt) => attempt.status === 'rejected')
  if (failed !== undefined && (onFailure === undefined || published.length === 0)) {
    await stopAll(published, lifetime.signal.aborted ? endOf(lifetime) : 'another service could not be published')
    throw failed.reason
  }
  const ended = Promise.all(published.map((tunnel) => tunnel.ended))
  try {
    const ends = await Promise.race([ended, lifetime.ended()])
    if (typeof ends !== 'string' && ends.includes('daemon')) {
      throw new BackendUnavailableError('The daemon ended, and with it what it carried.', { code: 'BEAM_ERR_DAEMON' })
    }
  } finally {
    if (lifetime.signal.aborted) await stopAll(published, endOf(lifetime))
  }
}

async function stopAll(tunnels: readonly Published[], reason: string): Promise<void> {
  await Promise.allSettled(tunnels.map((tunnel) => tunnel.stop(reason)))
}

function endOf(lifetime: Lifetime): string {
  return (lifetime.signal.reason as Error).message
}
