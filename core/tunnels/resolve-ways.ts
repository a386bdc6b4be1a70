import { isRecordSource } from '../powers.ts'
import type { ServiceRecord } from '../records/record.ts'
import { exposes } from './exposure.ts'
import { dials, resolveTarget, type Candidate, type DiallerHandle, type ResolveOptions, type Target } from './resolve-target.ts'
import { usesAllAtOnce, type Strategy } from './strategy.ts'

/** The record makes a connection better, not possible: nobody waits for it longer than for a slow page. */
const RECORD_LIMIT_MS = 5_000

/** What a look-up of several ways may use. */
export interface ResolveWaysOptions extends Omit<ResolveOptions, 'candidates'> {
  /** Who may be asked about an address that was typed. */
  readonly candidates: (address: string) => Promise<readonly Candidate[]>
  /** The networks on which further addresses may be used that a record lists. */
  readonly extra: () => Promise<readonly Candidate[]>
  /** What the user chose. */
  readonly strategy?: Strategy
}

/** One way that was found. */
export interface FoundWay extends Target {
  /** What the publisher says of its share of new connections. */
  readonly weight?: number
}

/** The ways to a service, that of the first address first. */
export interface FoundWays {
  readonly ways: readonly [FoundWay, ...FoundWay[]]
  readonly strategy: Strategy
}

/**
 * Finds every way to a service: of each address that was typed, and of those that its record lists for networks that may be used. The record
 * adds nothing that shows the visitor's IP address beside a way that hides it, unless that is allowed.
 * @throws what `resolveTarget` throws for an address that was typed
 */
export async function resolveWays(addresses: readonly string[], options: ResolveWaysOptions): Promise<FoundWays> {
  const typed: Target[] = []
  for (const address of new Set(addresses)) {
    typed.push(await resolveTarget(address, { ...options, candidates: await options.candidates(address) }))
  }
  const [first] = typed as [Target, ...Target[]]
  const { record, listed } = await fromRecord(typed, options)
  const weights = new Map(record?.endpoints.map((endpoint, index) => [endpoint, record.weights?.[index]]))
  const strategy = options.strategy ?? (record?.metadata.capabilities?.includes('multipath') === true ? 'multipath' : 'fallback')
  const { allowExposure = false, onWarning } = options
  const added = listed.filter(({ handle }) => {
    const mixes = usesAllAtOnce(strategy) && exposes('visitor', handle.capabilities) !== exposes('visitor', first.handle.capabilities)
    if (mixes && !allowExposure) {
      onWarning?.(
        'BEAM_WARN_EXPOSURE',
        `${handle.name} is not used beside ${first.handle.name}: one of them shows the IP address that the other hides.`,
      )
    }
    return allowExposure || !mixes
  })
  const ways = [...typed, ...added].map((way): FoundWay => {
    const weight = weights.get(way.address) ?? (way.handle === first.handle ? ownWeight(record) : undefined)
    return { ...way, ...(weight === undefined ? {} : { weight }) }
  })
  const several = ways.length > 1
  return { ways: ways as [FoundWay, ...FoundWay[]], strategy: several || options.strategy !== undefined ? strategy : 'fallback' }
}

/** What the service's record adds to the ways that are known. */
async function fromRecord(
  typed: readonly Target[],
  { extra, signal }: ResolveWaysOptions,
): Promise<{ readonly record?: ServiceRecord; readonly listed: readonly Target[] }> {
  const source = typed.find(({ handle }) => isRecordSource(handle.backend))
  if (source === undefined) return { listed: [] }
  const others = (await extra()).filter(({ name }) => name !== source.handle.name)
  if (others.length === 0) return { listed: [] }
  const limit = AbortSignal.timeout(RECORD_LIMIT_MS)
  const backend = await source.handle.ready(signal === undefined ? {} : { signal })
  if (!isRecordSource(backend)) return { listed: [] }
  let record: ServiceRecord | undefined
  try {
    record = await backend.findRecord(source.address, { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) })
  } catch {
    signal?.throwIfAborted()
  }
  if (record === undefined) return { listed: [] }
  const known = new Set(typed.map(({ address }) => address))
  const listed: Target[] = []
  for (const endpoint of record.endpoints) {
    if (known.has(endpoint)) continue
    const handle = await diallerOf(endpoint, others)
    if (handle !== undefined) listed.push({ handle, address: endpoint })
  }
  return { record, listed }
}

async function diallerOf(endpoint: string, candidates: readonly Candidate[]): Promise<DiallerHandle | undefined> {
  for (const candidate of candidates) {
    try {
      const handle = await candidate.load()
      if (dials(handle, endpoint)) return handle
    } catch {
      // A network that cannot be used adds no way.
    }
  }
  return undefined
}

/** What the record says of the network that it was found on: its places to dial directly all carry the same weight. */
function ownWeight(record: ServiceRecord | undefined): number | undefined {
  const index = record?.endpoints.findIndex((endpoint) => endpoint.startsWith('/')) ?? -1
  return index < 0 ? undefined : record?.weights?.[index]
}
