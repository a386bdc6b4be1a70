import { ConfigError, UnsupportedError, type Clock, type Operation } from '../../../core/index.ts'
import { MAX_BUCKETS, type HistoryStore } from '../history/history-store.ts'
import { NAME_OPERATIONS, type NameAccess } from '../name-operations.ts'
import type { NetworkSlot } from './network-slot.ts'
import { peersOf, statusOf, type StatusParts } from './node-status.ts'
import { testLinks } from './test-links.ts'

/** What the mesh can be asked or told while it runs: `beam network …`, `beam resolve`, `beam domain …`. */
export const MESH_OPERATIONS: readonly Operation[] = [
  { name: 'status', description: 'The node: who it is, whom it is linked to, what it does for others.', changes: false },
  {
    name: 'peers',
    description: 'The linked peers, with what was measured of them; {addresses: true} also where they are.',
    changes: false,
  },
  { name: 'heard', description: 'The nodes that gossip told of lately.', changes: false },
  { name: 'test', description: 'Asks every peer now, and measures.', changes: false },
  {
    name: 'history',
    description: 'What was measured in the last {periodMs}, or as long until {agoMs} ago, in {buckets} stretches.',
    changes: false,
  },
  { name: 'start', description: 'Brings the node up where nothing needed it yet.', changes: true },
  { name: 'restart', description: 'Ends the node and brings it up again.', changes: true },
  { name: 'reset', description: 'The same, and forgets the peers of former times.', changes: true },
  { name: 'optimize', description: 'Looks for better peers now; {near: true}: for nearer ones.', changes: true },
  { name: 'resolve', description: 'The address that {name} stands for; it is remembered.', changes: true },
  { name: 'name', description: 'Who claims {name} now.', changes: false },
  { name: 'names', description: 'The names that tunnels claim and that visits accepted.', changes: false },
  { name: 'claim', description: 'Has {tunnel} claim {name}.', changes: true },
  { name: 'unclaim', description: 'Gives the claim of {name} up.', changes: true },
  { name: 'forget', description: 'Forgets the key that was accepted for {name}.', changes: true },
]

/** What the operations work on. */
export interface MeshOperated extends NameAccess, StatusParts {
  readonly slot: NetworkSlot
  readonly history: HistoryStore
  readonly clock: Clock
}

/** Nodes that are dialled when somebody asks for better peers. */
const OPTIMIZE_DIALS = 4
/** Longest period that can be asked for: what is kept. */
const MAX_PERIOD_MS = 32 * 86_400_000

type Input = Readonly<Record<string, unknown>>

/** Carries out an operation. Figures that were not measured are absent. @throws UnsupportedError, ConfigError */
export async function operateMesh(mesh: MeshOperated, operation: string, input: Input): Promise<Record<string, unknown>> {
  if (Object.hasOwn(NAME_OPERATIONS, operation)) return NAME_OPERATIONS[operation as keyof typeof NAME_OPERATIONS](mesh, input)
  const { slot, sources, history, clock } = mesh
  const allowed = { peers: ['addresses'], history: ['agoMs', 'buckets', 'periodMs'], optimize: ['near'] }[operation] ?? []
  const other = Object.keys(input).find((key) => !allowed.includes(key))
  if (other !== undefined) throw new ConfigError(`The operation ${operation} of the mesh takes no ${other}.`)
  const status = (network = slot.network): Record<string, unknown> => statusOf(network, mesh)
  switch (operation) {
    case 'status':
      return status()
    case 'peers':
      return { peers: slot.network === undefined ? [] : peersOf(slot.network, { addresses: input['addresses'] === true }) }
    case 'heard':
      return { nodes: (slot.network?.heard() ?? []).map(({ id, participation, links, sentAt }) => ({ id, participation, links, sentAt })) }
    case 'test':
      return {
        running: slot.network !== undefined,
        peers: slot.network === undefined ? [] : await testLinks(slot.network),
        discovery: sources(),
      }
    case 'history': {
      const until = clock.now() - (input['agoMs'] === undefined ? 0 : whole(input['agoMs'], 'agoMs', MAX_PERIOD_MS))
      const periodMs = whole(input['periodMs'], 'periodMs', MAX_PERIOD_MS)
      return { ...(await history.read({ since: until - periodMs, until, buckets: whole(input['buckets'], 'buckets', MAX_BUCKETS) })) }
    }
    case 'start':
      return status(await slot.start())
    case 'restart':
      return status(await slot.restart())
    case 'reset':
      return status(await slot.restart({ forget: true }))
    case 'optimize':
      slot.network?.peers.improve({ count: OPTIMIZE_DIALS, near: input['near'] === true })
      return status()
    default:
      throw new UnsupportedError(`The mesh has no operation ${operation}.`)
  }
}

function whole(value: unknown, name: string, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new ConfigError(`${name} is a whole number from 1 to ${most}.`)
}
