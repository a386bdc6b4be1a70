import type { TunnelOptions } from '../backend.ts'
import type { BackendHandle } from './backend-handle.ts'
import type { PublishSetup } from './publish-setup.ts'

/** What a backend is told of the tunnel, as far as it can do anything with it. */
export function tunnelOptions(
  { target, name, domain, identity, access, network }: PublishSetup,
  { name: backend, capabilities }: BackendHandle,
): TunnelOptions {
  return {
    host: target.host,
    ...(name === undefined ? {} : { name }),
    ...(domain === undefined || !capabilities.supportsDomains ? {} : { domain }),
    ...(identity === undefined ? {} : { identity }),
    ...(access === undefined ? {} : { access }),
    ...(network?.[backend] === undefined ? {} : { network: network[backend] }),
  }
}
