import { createServer, isIP } from 'node:net'
import { LocalService, sleep, type CleanupStack, type Clock, type Logger, type TunnelOptions } from '../../../../core/index.ts'
import type { VirtualPort } from './publish-options.ts'
import { StreamDoor } from './stream-door.ts'

/** A port of the service, and where the daemon passes its visitors on. */
export interface PassedPort {
  readonly port: number
  readonly target: string
}

/** What decides where visitors come out. */
export interface TargetSetup {
  readonly backend: string
  /** The published local port. */
  readonly port: number
  readonly tunnel: Pick<TunnelOptions, 'host' | 'onStream'>
  readonly ports: readonly VirtualPort[]
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Prepares the way of visitors: straight from the daemon to the local port where that can be, through a port of ours where Beam is needed
 * in the path. The answer is asked at each publishing.
 */
export async function prepareTargets(setup: TargetSetup, undo: CleanupStack): Promise<() => Promise<readonly PassedPort[]>> {
  const { port, ports, tunnel } = setup
  const { host = 'localhost', onStream } = tunnel
  const used = ports.some(({ target }) => target.kind === 'tunnel')
  const door = used && (onStream !== undefined || !isDeliverable(host)) ? await openDoor(setup, host, undo) : undefined
  return async () => {
    const own = door === undefined ? await directTarget(host, port) : `127.0.0.1:${door}`
    return ports.map((one) => ({ port: one.port, target: one.target.kind === 'tunnel' ? own : one.target.address }))
  }
}

async function openDoor({ backend, port, tunnel, clock, logger }: TargetSetup, host: string, undo: CleanupStack): Promise<number> {
  let handler = tunnel.onStream
  if (handler === undefined) {
    const local = new LocalService({ host, port }, { clock, logger })
    undo.defer(() => local.close())
    handler = local.handle
  }
  const door = new StreamDoor(backend, handler)
  const open = await door.open()
  undo.defer(() => door.close())
  return open
}

/** Names would make the daemon ask the DNS, so only addresses and `localhost`. */
function isDeliverable(host: string): boolean {
  return host === 'localhost' || isIP(host) !== 0
}

/** A host and port as the daemon takes them. Of `localhost`, ::1 when something listens there, else 127.0.0.1. */
async function directTarget(host: string, port: number): Promise<string> {
  if (host === 'localhost') return (await isTaken('::1', port)) ? `[::1]:${port}` : `127.0.0.1:${port}`
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

/** Looks under way: a second one for the same port would meet the first. */
const looks = new Map<string, Promise<boolean>>()
/** What another process's look takes: it is met as if something listened, and is over within a millisecond. */
const LOOK_AGAIN_MS = 50

/** Whether something listens at an address. It is not connected to: that would be a visitor for it. */
function isTaken(host: string, port: number): Promise<boolean> {
  const key = `${host} ${port}`
  const under = looks.get(key)
  if (under !== undefined) return under
  const look = tryToListen(host, port)
    .then(async (taken) => taken && (await sleep(LOOK_AGAIN_MS).then(() => tryToListen(host, port))))
    .finally(() => looks.delete(key))
  looks.set(key, look)
  return look
}

function tryToListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(false)))
  })
}
