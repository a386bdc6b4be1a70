import { BackendUnavailableError, type BeamPaths, type Clock, type Logger, type Progress } from '../../core/index.ts'
import { AttachedMesh, meshIsHere } from './attached/attached-mesh.ts'
import type { AnonetConfig } from './config.generated.ts'
import type { CircleStore } from './managed/circle-store.ts'
import type { FriendDesk } from './managed/friend-desk.ts'
import { ManagedMesh } from './managed/managed-mesh.ts'
import { parsePrefix, type Prefix } from './mesh-address.ts'
import type { Mesh } from './mesh.ts'

/** What a mesh can be opened with. */
export interface OpenParts {
  readonly config: AnonetConfig
  readonly range: Prefix
  readonly store: CircleStore
  readonly desk: FriendDesk
  readonly paths: BeamPaths
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * The mesh of this machine, or one of Beam's own: as configured, else the first where there is one, else the second where there are friends.
 * @throws BackendUnavailableError, ConfigError
 */
export async function openMesh(
  { config, range, store, desk, paths, clock, logger }: OpenParts,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void },
): Promise<Mesh> {
  const { birdSocket, address } = config
  const mode = config.mode === 'auto' ? await chooseMode({ range, birdSocket, wanted: address, store }) : config.mode
  if (mode === 'managed') {
    const timing = { bfdMs: config.bfdMs, holdSeconds: config.holdSeconds }
    return ManagedMesh.start({ store, planOf: (circle) => desk.planOf(circle), range, timing, paths, clock, logger }, options)
  }
  const prefix = config.prefix === undefined ? undefined : parsePrefix(config.prefix)
  return AttachedMesh.start({ range, address, prefix, birdSocket, paths, clock, logger }, options)
}

async function chooseMode(parts: {
  readonly range: Prefix
  readonly birdSocket: string | undefined
  readonly wanted: string | undefined
  readonly store: CircleStore
}): Promise<'attach' | 'managed'> {
  if (parts.wanted !== undefined || meshIsHere(parts)) return 'attach'
  const circle = await parts.store.read()
  if (circle !== undefined && circle.friends.length + circle.invites.length > 0) return 'managed'
  throw new BackendUnavailableError('This machine is part of no mesh of friends.', {
    hint: 'Invite a friend (beam anonet invite) or accept an invitation (beam anonet accept); or join a mesh with WireGuard and BIRD yourself, and Beam attaches to it.',
  })
}
