import type { Clock } from '../../clock.ts'
import { allFailed, isBeamError, UnreachableError } from '../../errors.ts'
import { judgeClaims } from '../../records/claims.ts'
import { decodeRecord } from '../../records/codec.ts'
import type { ServiceRecord } from '../../records/record.ts'
import { selectNewest } from '../../records/select.ts'
import { decodeClaimants, LOOKUP_TOPICS } from './lookup.ts'
import type { MeetingPlace } from './meeting-place.ts'
import type { AskPlace, VisitPlace } from './visit-place.ts'

/** After the first answer the other places get so long: about a new circuit's time. What they would say of others who claim the name is missed else. */
const OTHERS_MS = 5_000
/** Services that one error lists. */
const MAX_LISTED = 8

/** What a look-up needs. */
export interface FindServiceOptions<Place extends MeetingPlace> {
  readonly places: readonly Place[]
  readonly visit: VisitPlace<Place>
  readonly clock: Clock
  /** The key that was accepted for the name before. */
  readonly pin: Uint8Array | undefined
  readonly signal: AbortSignal
}

/** Who a name stands for. */
export interface FoundService {
  readonly record: ServiceRecord
  /** `first-use`: nobody has verified it. */
  readonly verified: 'pinned' | 'first-use'
  /** Others that are registered under the name. */
  readonly others: readonly ServiceRecord[]
  /** Places that did not answer, each with the reason. */
  readonly failures: readonly Error[]
}

/** What one place said. */
interface Told {
  readonly records: readonly ServiceRecord[]
  /** Records that were genuine, but not in their time. */
  readonly untimely: boolean
}

/**
 * Asks all meeting places who is registered under a name. Nothing that they say is trusted: records are verified, the name in them is compared,
 * the newest record of each service counts, and a service that was accepted before is never exchanged for another.
 * @param name - in the spelling of `normaliseName`
 * @throws UnreachableError: `BEAM_ERR_NOT_FOUND`, `BEAM_ERR_NAME_AMBIGUOUS`, `BEAM_ERR_NAME_CONFLICT`; what the only place that was asked
 *   threw; the signal's reason
 */
export async function findService<Place extends MeetingPlace>(name: string, options: FindServiceOptions<Place>): Promise<FoundService> {
  const { signal } = options
  const { answers, failures } = await askAll(name, options)
  signal.throwIfAborted()
  if (answers.length === 0) {
    const [first] = failures
    if (first !== undefined && failures.length === 1) throw first
    throw allFailed(`No meeting place could be asked for ${name}: ${first?.message ?? 'none is named'}`, failures)
  }
  const records = newestOfEach(answers.flatMap((told) => told.records)).filter((record) => record.name === name && !record.tombstone)
  const { record, verified } = judged(name, records, options.pin, answers)
  return { record, verified, others: records.filter((other) => other !== record), failures }
}

/** Asks them side by side; who has not answered a while after the first is not waited for. */
function askAll<Place extends MeetingPlace>(
  name: string,
  { places, visit, clock, pin, signal: outer }: FindServiceOptions<Place>,
): Promise<{ readonly answers: readonly Told[]; readonly failures: readonly Error[] }> {
  const ending = new AbortController()
  const signal = AbortSignal.any([outer, ending.signal])
  const answers: Told[] = []
  const failures: Error[] = []
  return new Promise((resolve) => {
    let left = places.length
    let cancel: (() => void) | undefined
    const finish = (): void => {
      cancel?.()
      ending.abort(new Error('others have answered'))
      resolve({ answers, failures })
    }
    const settled = (): void => {
      left -= 1
      if (left === 0) finish()
      else if (answers.length > 0) cancel ??= clock.after(OTHERS_MS, finish, { unref: true })
    }
    if (left === 0) finish()
    for (const place of places)
      visit(place, (ask) => told(name, ask, { pin, now: () => clock.now() }), { signal }).then(
        (answer) => {
          answers.push(answer)
          settled()
        },
        (error: Error) => {
          if (!ending.signal.aborted) failures.push(error)
          settled()
        },
      )
  })
}

/** Everything that one place tells of a name, verified. The accepted key is asked for also where others crowd it out of the list. */
async function told(
  name: string,
  ask: AskPlace,
  { pin, now }: { readonly pin: Uint8Array | undefined; readonly now: () => number },
): Promise<Told> {
  const claimants = decodeClaimants(await ask(LOOKUP_TOPICS.name, Buffer.from(name)))
  const keys = new Map([...claimants, ...(pin === undefined ? [] : [pin])].map((key) => [Buffer.from(key).toString('hex'), key]))
  let untimely = false
  const records = await Promise.all(
    [...keys.values()].map(async (expectedKey) => {
      const bytes = await ask(LOOKUP_TOPICS.record, expectedKey)
      if (bytes.length === 0) return []
      try {
        return [decodeRecord(bytes, { now: now(), expectedKey })]
      } catch (error) {
        // Forged, damaged or old: as good as none, but an hour's difference of clocks is worth a word.
        untimely ||= isBeamError(error) && error.code === 'BEAM_ERR_RECORD_EXPIRED'
        return []
      }
    }),
  )
  return { records: records.flat(), untimely }
}

function newestOfEach(records: readonly ServiceRecord[]): ServiceRecord[] {
  const byKey = new Map<string, ServiceRecord[]>()
  for (const record of records) {
    const id = Buffer.from(record.serviceKey).toString('hex')
    byKey.set(id, [...(byKey.get(id) ?? []), record])
  }
  return [...byKey.values()].flatMap((same) => selectNewest(same) ?? [])
}

/** The rules for names of the mesh (`judgeClaims`), in words for services that have no key in their address. */
function judged(
  name: string,
  records: readonly ServiceRecord[],
  pin: Uint8Array | undefined,
  answers: readonly Told[],
): { readonly record: ServiceRecord; readonly verified: FoundService['verified'] } {
  const shown = records.slice(0, MAX_LISTED).map(({ endpoints }) => endpoints[0] ?? 'a service without an address')
  const list = records.length > shown.length ? `${shown.join(', ')} and ${records.length - shown.length} more` : shown.join(', ')
  const refused = (code: string, message: string, hint: string, cause: unknown): UnreachableError =>
    new UnreachableError(message, { code, hint, cause, retry: code === 'BEAM_ERR_NOT_FOUND' ? 'later' : 'never' })
  try {
    const keys = records.map(({ serviceKey }) => serviceKey)
    const { key, verified } = judgeClaims(name, keys, pin)
    const record = records.find(({ serviceKey }) => Buffer.compare(serviceKey, key) === 0) as ServiceRecord
    return { record, verified }
  } catch (error) {
    const code = isBeamError(error) ? error.code : ''
    const another = 'Ask the publisher, by another way, which address is theirs, and connect to that.'
    if (code === 'BEAM_ERR_NAME_AMBIGUOUS')
      throw refused(code, `${records.length} services are registered as ${name}: ${list}.`, `Beam does not guess. ${another}`, error)
    if (code === 'BEAM_ERR_NAME_CONFLICT')
      throw refused(
        code,
        `${name} is not registered any more by the service that was accepted before. Others are: ${list}.`,
        another,
        error,
      )
    const clocks = answers.some(({ untimely }) => untimely)
    throw refused(
      'BEAM_ERR_NOT_FOUND',
      `Nobody is registered as ${name} at ${answers.length === 1 ? 'the meeting place' : 'the meeting places'} now.`,
      clocks
        ? 'A registration is there, but past its time: the publisher is gone, or the clock of one of the machines is wrong.'
        : 'Check the spelling, and whether the publisher runs with --domain and this --rendezvous. Registering takes some seconds after it is ready.',
      error,
    )
  }
}
