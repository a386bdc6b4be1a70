/** How a publisher registers a service with a meeting place: one that does not gossip, or does not want its record in the DHT. */
import { UnreachableError } from '../../errors.ts'
import { decodeRecord } from '../../records/codec.ts'
import type { ServiceRecord } from '../../records/record.ts'
import type { Clock } from '../../clock.ts'
import type { RecordCache } from '../gossip/record-cache.ts'
import type { MeshNode } from '../node/mesh-node.ts'
import { prefixOf } from '../peers/prefix.ts'

/**
 * The request: a signed record. It is held as long as it is valid, and answered with nothing; the answer is another record when that one is
 * newer and stays. A tombstone takes the service back.
 */
export const REGISTER_TOPIC = 'records/register'

/**
 * Where nobody has an address, so many services that were not here before are taken in a minute. Whoever registers again every ten minutes is
 * then never driven out of the 4,096 that are held, however many others a stranger brings: the oldest go first.
 */
export const NEWCOMERS_A_MINUTE = 200
const MINUTE_MS = 60_000

/** How registrations are taken. */
export interface ServeRegistrationsOptions {
  /** Publishers come through a network that hides where they are: their number is bounded by time instead of by their networks. */
  readonly hidden?: boolean
}

/** Lets a node take registrations from anybody, until the returned function is called. What one network can bring is bounded. */
export function serveRegistrations(
  node: MeshNode,
  registered: RecordCache,
  clock: Clock,
  { hidden = false }: ServeRegistrationsOptions = {},
): () => void {
  const newcomers = { since: clock.monotonic(), count: 0 }
  return node.serve(REGISTER_TOPIC, (body, { remoteAddress }) => {
    const record = decodeRecord(body, { now: clock.now() })
    if (hidden && registered.find(record.serviceKey) === undefined) letIn(newcomers, clock)
    const origin = hidden ? Buffer.from(record.serviceKey).toString('hex') : originOf(remoteAddress)
    if (registered.keep(record, body, origin) === 'good') return new Uint8Array()
    const held = registered.find(record.serviceKey)
    if (held === undefined) {
      throw new UnreachableError('This node holds too many records from your network already.', {
        code: 'BEAM_ERR_RATE_LIMITED',
        retry: 'later',
      })
    }
    return Buffer.compare(held, body) === 0 ? new Uint8Array() : held
  })
}

/**
 * Registers a record with the node at the other end of `ask`.
 * @returns the newer record of the service that the node holds instead; undefined when it took this one
 * @throws ProtocolError when the answer is none, and what `ask` throws
 */
export async function registerRecord(
  ask: (topic: string, body: Uint8Array) => Promise<Uint8Array>,
  record: Uint8Array,
  { now, serviceKey }: { readonly now: number; readonly serviceKey: Uint8Array },
): Promise<ServiceRecord | undefined> {
  const answer = await ask(REGISTER_TOPIC, record)
  return answer.length === 0 ? undefined : decodeRecord(answer, { now, expectedKey: serviceKey })
}

/** Keys cost nothing, addresses do: the network that an address belongs to counts, and everything on this machine or site as one. */
function originOf(remoteAddress: string | undefined): string {
  const host = (remoteAddress ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  return prefixOf(host.replace(/^::ffff:(?=\d+\.)/i, '')) ?? 'nearby'
}

/** Counts one more. @throws UnreachableError (`BEAM_ERR_RATE_LIMITED`) when this minute's share is used up */
function letIn(newcomers: { since: number; count: number }, clock: Clock): void {
  const now = clock.monotonic()
  if (now - newcomers.since >= MINUTE_MS) Object.assign(newcomers, { since: now, count: 0 })
  if (newcomers.count >= NEWCOMERS_A_MINUTE) {
    throw new UnreachableError('More services than usual are being registered here: try again in a minute.', {
      code: 'BEAM_ERR_RATE_LIMITED',
      retry: 'later',
    })
  }
  newcomers.count += 1
}
