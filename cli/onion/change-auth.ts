import type { OperationData } from '../daemon/protocol.ts'
import { authOf, type OnionAuth } from './answers.ts'
import { operateOnFiles } from './ask.ts'
import type { OnionNetwork } from './networks.ts'

/** Who may visit a service after a change. */
export interface ChangedAuth extends Pick<OnionAuth, 'service' | 'protected' | 'clients'> {
  readonly network: OnionNetwork['backend']
  /** How many running tunnels follow it already. */
  readonly live: number
}

/**
 * Changes who may visit a named service.
 * @throws ConfigError (`BEAM_ERR_NAME_INVALID`), and whatever the operation throws
 */
export async function changeAuth(
  network: OnionNetwork,
  operation: 'auth-add' | 'auth-remove' | 'auth-off',
  input: OperationData & { readonly service: string },
): Promise<ChangedAuth> {
  const { checkServiceName } = await import('../../core/identity/service-name.ts')
  checkServiceName(input.service)
  const answers = (await operateOnFiles(network, operation, input)).map(authOf)
  const { clients = [], protected: closed = false } = answers[0] ?? {}
  const live = answers.reduce((sum, answer) => sum + (answer.live ?? 0), 0)
  return { network: network.backend, service: input.service, protected: closed, clients, live }
}
