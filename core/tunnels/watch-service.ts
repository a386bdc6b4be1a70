import { BackendUnavailableError } from '../errors.ts'
import type { PublishEvent } from './events.ts'
import type { LocalService } from './local-service.ts'

/** What is told of the local service; the tunnel's id is added by who passes it on. */
type ServiceEvent =
  | Omit<Extract<PublishEvent, { event: 'up' | 'down' }>, 'tunnel'>
  | Omit<Extract<PublishEvent, { event: 'warning' }>, 'tunnel'>

/**
 * Looks whether the local service is there, and goes on telling when it comes and goes until it is closed.
 * @throws BackendUnavailableError (`BEAM_ERR_SERVICE_DOWN`) when it is required and absent
 */
export async function watchService(
  service: LocalService,
  { required, emit }: { readonly required: boolean; readonly emit: (event: ServiceEvent) => void },
): Promise<void> {
  const state = await service.probe()
  const { host, port } = service.target
  const message = `Nothing listens on ${host}:${port}.`
  if (state === 'down' && required) {
    throw new BackendUnavailableError(message, {
      code: 'BEAM_ERR_SERVICE_DOWN',
      hint: 'Start the service first, or leave --require-service out to wait for it.',
    })
  }
  if (state === 'down') {
    emit({ event: 'warning', code: 'BEAM_WARN_SERVICE_DOWN', message: `${message} Visitors are refused until it does.` })
  }
  service.watch((event, reason) => emit({ event, what: 'service', reason }))
}
