import { ConfigError, UnsupportedError, type Operation, type TunnelInfo } from '../../../core/index.ts'
import { parseCircuits, parseGuards } from './control/circuits.ts'
import type { Supervisor } from './daemon/supervisor.ts'
import type { Flavour } from './flavour.ts'
import type { AuthorizedClients, ClientList } from './keys/authorized-clients.ts'
import type { OnionService } from './service/onion-service.ts'

/** Circuits that are listed; their number is told whole. */
const MAX_CIRCUITS = 64
/** Guards that are listed: a daemon remembers a few dozen, and uses two or three. */
const MAX_GUARDS = 32

/** What a backend of this kind can be asked and told by its user. */
export const OPERATIONS: readonly Operation[] = [
  { name: 'status', description: 'Bootstrap, guards, circuits and services of the daemon', changes: false },
  { name: 'newnym', description: 'Use new circuits for new connections', changes: true },
  { name: 'auth-list', description: 'Who may visit the named services', changes: false },
  { name: 'auth-add', description: 'Let a visitor in: service, client, publicKey', changes: true },
  { name: 'auth-remove', description: 'Let a visitor in no more: service, client', changes: true },
  { name: 'auth-off', description: 'Open a service to everybody who has the address: service', changes: true },
]

/** One service as `status` shows it. */
export interface ServiceView {
  readonly tunnel: string
  readonly name?: string
  readonly address: string
  readonly state: string
  readonly published: boolean
  readonly protected: boolean
  readonly clients: number
  readonly ports: readonly number[]
}

/** A running tunnel with its service, as `status` shows it; `allowed` are the keys of those who may visit, undefined = everybody. */
export function viewOf(
  {
    info,
    service,
    addresses,
  }: { readonly info: Pick<TunnelInfo, 'id' | 'name'>; readonly service: OnionService; readonly addresses: readonly string[] },
  allowed: readonly string[] | undefined,
): ServiceView {
  return {
    tunnel: info.id,
    ...(info.name === undefined ? {} : { name: info.name }),
    address: addresses[0] ?? '',
    state: service.state,
    published: service.published,
    protected: allowed !== undefined,
    clients: allowed?.length ?? 0,
    ports: service.ports,
  }
}

/** What operations work on. */
export interface OperationSetup {
  readonly flavour: Flavour
  /** Undefined before the backend was started. */
  readonly supervisor: Supervisor | undefined
  readonly clients: AuthorizedClients
  readonly services: () => Promise<readonly ServiceView[]>
  /** Publishes the running services of a name anew. The number of services. */
  readonly renew: (name: string) => Promise<number>
}

type Input = Readonly<Record<string, unknown>>
type Answer = Readonly<Record<string, unknown>>

/**
 * Carries an operation out.
 * @throws UnsupportedError, ConfigError, BackendUnavailableError
 */
export async function operate(operation: string, input: Input, setup: OperationSetup): Promise<Answer> {
  const { clients, renew } = setup
  switch (operation) {
    case 'status':
      only(input)
      return status(setup)
    case 'newnym':
      only(input)
      return newCircuits(setup)
    case 'auth-list':
      only(input, 'service')
      return { services: input['service'] === undefined ? await clients.list() : [await clients.read(serviceOf(input))] }
    case 'auth-add': {
      only(input, 'service', 'client', 'publicKey')
      const list = await clients.add(serviceOf(input), input['client'], input['publicKey'])
      return changed(list, await renew(list.service))
    }
    case 'auth-remove': {
      only(input, 'service', 'client')
      const list = await clients.remove(serviceOf(input), input['client'])
      return changed(list, await renew(list.service))
    }
    case 'auth-off': {
      only(input, 'service')
      const list = await clients.open(serviceOf(input))
      return changed(list, await renew(list.service))
    }
    default:
      throw new UnsupportedError(`There is no operation ${JSON.stringify(operation.slice(0, 64))}.`, {
        hint: `There are: ${OPERATIONS.map(({ name }) => name).join(', ')}.`,
      })
  }
}

function only(input: Input, ...known: readonly string[]): void {
  const unknown = Object.keys(input).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw new ConfigError(`The operation takes no ${JSON.stringify(unknown.slice(0, 64))}.`, {
    hint: known.length === 0 ? 'It takes nothing.' : `It takes: ${known.join(', ')}.`,
  })
}

function serviceOf(input: Input): string {
  const { service } = input
  if (typeof service === 'string') return service
  throw new ConfigError('The operation needs the name of a service.', { hint: 'It is what --name said when it was published.' })
}

function changed(list: ClientList, live: number): Answer {
  return { ...list, live }
}

async function newCircuits({ supervisor, flavour }: OperationSetup): Promise<Answer> {
  const { session } = supervisor ?? {}
  if (session === undefined) throw notRunning(flavour)
  await session.control.command('SIGNAL NEWNYM')
  return { done: true, message: 'New connections use new circuits; those that are open stay on theirs.' }
}

async function status({ supervisor, flavour, services }: OperationSetup): Promise<Answer> {
  const base = {
    network: flavour.backend,
    state: supervisor?.state ?? 'idle',
    ...(supervisor?.message === undefined ? {} : { message: supervisor.message }),
    services: await services(),
  }
  if (supervisor?.session === undefined) return base
  const { session, network } = supervisor
  const { control, socks, mode, version, pid, file, folder } = session
  // A filter before the control port may hold some of this back: what is not told is absent.
  const ask = (key: string): Promise<string | undefined> => control.getInfo(key).catch(() => undefined)
  const [circuitText, guardText, liveness, dormant, uptime] = await Promise.all(
    ['circuit-status', 'entry-guards', 'network-liveness', 'dormant', 'uptime'].map(ask),
  )
  const circuits = circuitText === undefined ? undefined : parseCircuits(circuitText)
  return {
    ...base,
    mode,
    version,
    ...(pid === undefined ? {} : { pid }),
    ...(file === undefined ? {} : { binary: file }),
    ...(folder === undefined ? {} : { dataDir: folder }),
    ...(socks === undefined ? {} : { socks: 'path' in socks ? `unix:${socks.path}` : `${socks.host}:${socks.port}` }),
    bootstrap: network.bootstrap,
    circuitEstablished: network.circuitEstablished,
    liveness: liveness ?? 'unknown',
    ...(dormant === undefined ? {} : { dormant: dormant === '1' }),
    ...(uptime === undefined || !/^\d{1,12}$/.test(uptime) ? {} : { uptimeSeconds: Number(uptime) }),
    ...(guardText === undefined ? {} : { guards: parseGuards(guardText).slice(0, MAX_GUARDS) }),
    ...(circuits === undefined
      ? {}
      : {
          circuitCount: circuits.length,
          circuits: circuits
            .slice(0, MAX_CIRCUITS)
            .map(({ id, state, purpose, relays }) => ({ id, state, purpose, relays, hops: relays.length })),
        }),
  }
}

function notRunning({ title }: Flavour): UnsupportedError {
  return new UnsupportedError(`No ${title} daemon runs in this process at present.`)
}
