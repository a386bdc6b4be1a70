import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import {
  BackendUnavailableError,
  CleanupStack,
  ConfigError,
  type AccessPolicy,
  type Clock,
  type StreamHandler,
  type TunnelEvent,
} from '../../core/index.ts'
import { announceHost, type MdnsSocket } from './discovery/index.ts'
import { ADDRESS_POLL_MS } from './constants.ts'
import { localAddresses, reachOf } from './local-addresses.ts'

/** Connections of browsers at a time. */
const MAX_LAN_CONNECTIONS = 512

/** What a plain listener for the local network needs. */
export interface LanParts {
  readonly host: string
  readonly domain: string | undefined
  readonly access: AccessPolicy | undefined
  readonly handler: StreamHandler
  readonly mdns: MdnsSocket
  readonly clock: Clock
  readonly onEvent: (event: TunnelEvent) => void
}

/**
 * Opens the service to browsers on the local network, which have no Beam: a plain TCP port, and the domain announced over mDNS.
 * @throws ConfigError when access is restricted: a plain port could not keep anybody out.
 */
export async function openToLan(parts: LanParts): Promise<AsyncDisposable> {
  if ((parts.access?.allow?.length ?? 0) > 0 || parts.access?.secret !== undefined) {
    throw new ConfigError('A service with restricted access cannot be opened to the local network: a plain port lets everybody in.', {
      hint: 'Leave out --lan, or --allow and --secret.',
    })
  }
  await using undo = new CleanupStack()
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    socket.on('error', () => {})
    parts.handler(socket, { backend: 'mesh', ...(socket.remoteAddress !== undefined && { remoteAddress: socket.remoteAddress }) })
  })
  server.maxConnections = MAX_LAN_CONNECTIONS
  const port = await listen(server, parts.host)
  undo.defer(() => server.close())
  // A failed accept (no descriptor left) costs that connection, not the process.
  server.on('error', () => {})
  const addressesNow = (): readonly string[] =>
    localAddresses(parts.host).filter((address) => reachOf(address) !== 'machine' || parts.host === address)
  const addresses = addressesNow()
  const { domain } = parts
  const byName = domain?.endsWith('.local') === true
  if (byName) {
    const announcement = announceHost(parts.mdns, {
      name: domain,
      addresses,
      onConflict: (address) =>
        parts.onEvent({
          type: 'warning',
          code: 'BEAM_WARN_NAME_CLAIMED',
          message: `${domain} is taken on this network: ${address} answers for it.`,
        }),
    })
    undo.defer(() => announcement.stop())
    let announced = addresses.join()
    const stopFollowing = parts.clock.every(ADDRESS_POLL_MS, () => {
      const now = addressesNow()
      if (now.join() === announced) return
      announced = now.join()
      announcement.update(now)
    })
    undo.defer(stopFollowing)
  }
  const hosts = byName ? [domain, ...addresses] : addresses
  const shown = hosts.map((host) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`).join(', ')
  parts.onEvent({
    type: 'warning',
    code: 'BEAM_WARN_LAN',
    message: `Open to everybody on the local network, without encryption: ${shown}`,
  })
  const owned = undo.move()
  return { [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() }
}

/** Any free port: the published one belongs to the service, also while that is not running. */
async function listen(server: Server, host: string): Promise<number> {
  server.listen({ host, port: 0 })
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new BackendUnavailableError('No port can be opened to the local network.', { cause: error })
  }
  return (server.address() as AddressInfo).port
}
