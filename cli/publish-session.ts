import { BackendUnavailableError, isBeamError } from '../core/errors.ts'
import type { PublishEvent } from '../core/tunnels/events.ts'
import type { PublishOptions, PublishTarget } from '../plugins/beam.ts'
import type { Published, Publisher } from './daemon/publisher.ts'
import type { Lifetime } from './lifetime.ts'

/** Whether the daemon ended without a word, so that somebody else has to carry on. */
export function isLost(error: unknown): boolean {
  return isBeamError(error) && error.code === 'BEAM_ERR_DAEMON_LOST'
}

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
        if (!lifetime.signal.aborted && !isLost(error)) onFailure?.(service, error)
        throw error
      }
    }),
  )
  const published = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
  const failures = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []))
  if (failures.length > 0 && (onFailure === undefined || published.length === 0 || failures.some(isLost))) {
    await stopAll(published, lifetime.signal.aborted ? endOf(lifetime) : 'another service could not be published')
    if (onFailure !== undefined && failures.length > 1 && !failures.some(isLost) && !lifetime.signal.aborted) throw noneLeft()
    throw failures.find(isLost) ?? failures[0]
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

/** Why each of them failed was told already. */
function noneLeft(): BackendUnavailableError {
  return new BackendUnavailableError('None of the tunnels could be published.')
}
