import {
  CleanupStack,
  ConfigError,
  formatMeetingPlace,
  generateIdentity,
  mayVisitPlaces,
  MeshNode,
  RecordCache,
  rendezvousNodeKey,
  serveLookups,
  serveRegistrations,
  type BackendHandle,
  type Clock,
  type Identity,
  type Logger,
} from '../../core/index.ts'
import type { Beam, HostedPlace, HostPlaceOptions } from '../beam.ts'

/** The port that networks are told, where no local port is involved. */
const NO_PORT = 80

/** What hosting needs of a Beam instance. */
export interface HostParts {
  readonly publish: Beam['publish']
  /** A backend by name, made but not started. */
  readonly use: (name: string) => Promise<BackendHandle>
  /** The key of a named service; made when it is asked for first. */
  readonly serviceKey: (name: string) => Promise<Identity>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Runs a meeting place behind networks: a node without a port, without peers and without the mesh, to which the networks bring publishers and
 * visitors. It has a key of its own, which comes back with its name.
 * @throws ConfigError (`BEAM_ERR_EXPOSURE`) for a network that shows who visits, and what `publish` throws
 */
export async function hostPlace(options: HostPlaceOptions, parts: HostParts): Promise<HostedPlace> {
  const { clock, logger } = parts
  const { backends, name, onEvent, ...rest } = options
  for (const handle of await Promise.all(backends.map((backend) => parts.use(backend)))) refuseExposing(handle)
  await using undo = new CleanupStack()
  const service = name === undefined ? generateIdentity() : await parts.serviceKey(name)
  const identity = rendezvousNodeKey(service)
  const node = new MeshNode({ identity, clock, logger, listen: { host: '127.0.0.1', port: 0 } })
  // It never listens: links come over streams that the networks hand over.
  undo.defer(() => node[Symbol.asyncDispose]())
  node.admit = () => 'a meeting place behind a network has no peers'
  const registered = new RecordCache(clock)
  serveLookups(node, registered)
  serveRegistrations(node, registered, clock, { hidden: true })
  const tunnel = await parts.publish(
    { port: NO_PORT },
    {
      ...rest,
      ...(name === undefined ? {} : { name }),
      ...(onEvent === undefined ? {} : { onEvent }),
      backends,
      strategy: backends.length > 1 ? 'load-balance' : 'priority',
      onStream: (stream) => node.accept(stream),
    },
  )
  const running = undo.move()
  let stopping: Promise<void> | undefined
  const stop = (reason?: string): Promise<void> => (stopping ??= tunnel.stop(reason).then(() => running[Symbol.asyncDispose]()))
  return {
    id: node.id,
    addresses: () => tunnel.snapshot().endpoints.map(({ address }) => formatMeetingPlace(identity.publicKey, address)),
    registered: () => registered.size,
    stop,
    [Symbol.asyncDispose]: () => stop(),
  }
}

function refuseExposing({ name, capabilities }: BackendHandle): void {
  if (mayVisitPlaces(capabilities)) return
  throw new ConfigError(`${name} would show a meeting place who asks it.`, {
    code: 'BEAM_ERR_EXPOSURE',
    hint: 'A node without --tor or --i2p is a meeting place of the mesh: beam node --rendezvous',
  })
}
