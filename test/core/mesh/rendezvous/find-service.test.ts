import { describe, expect, it } from 'vitest'
import { decodeRecord, encodeRecord, findService, generateIdentity, LOOKUP_TOPICS, newRecord, tombstoneOf } from '../../../../core/index.ts'
import type { Clock, Identity, MeetingPlace, ServiceRecord, VisitPlace } from '../../../../core/index.ts'
import { ManualClock } from '../../tunnels/puppet-backend.ts'

const NAME = 'myapp.local'
const clock = new ManualClock()
const HOUR = 3_600_000
const now = 1000 * HOUR
const at: Clock = {
  now: () => now,
  monotonic: clock.monotonic,
  after: clock.after,
  every: clock.every,
}

/** A meeting place that tells these claimants and these bytes, or fails. */
interface Place extends MeetingPlace {
  readonly says: ReadonlyArray<readonly [Identity, Uint8Array]> | Error | 'nothing'
}
const place = (says: Place['says']): Place => ({ key: Buffer.alloc(32), address: 'somewhere', says })

const visit: VisitPlace<Place> = async ({ says }, work, { signal }) => {
  signal.throwIfAborted()
  if (says === 'nothing') await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  if (says instanceof Error) throw says
  if (says === 'nothing') throw new Error('never')
  return work(async (topic, body) => {
    if (topic === LOOKUP_TOPICS.name) return Buffer.concat(says.map(([{ publicKey }]) => publicKey))
    return Buffer.from(says.find(([{ publicKey }]) => Buffer.compare(publicKey, body) === 0)?.[1] ?? [])
  })
}

function record(service: Identity, over: Partial<ServiceRecord> = {}): readonly [Identity, Uint8Array] {
  const fields = { serviceKey: service.publicKey, name: NAME, endpoints: ['http://x.onion'] }
  return [service, encodeRecord({ ...newRecord(fields, { now }), ...over }, service)]
}

const find = (places: readonly Place[], pin?: Uint8Array, signal = AbortSignal.timeout(10_000)) =>
  findService(NAME, { places, visit, clock: at, pin, signal })

describe('looking a name up at meeting places', () => {
  it('takes the newest record of a service, whoever has it', async () => {
    const service = generateIdentity()
    const newer = record(service, { sequence: now + 5, endpoints: ['http://y.onion'] })
    const found = await find([place([record(service)]), place([newer])])
    expect(found.record.endpoints).toEqual(['http://y.onion'])
    expect(found).toMatchObject({ verified: 'first-use', others: [], failures: [] })
  })

  it('believes no record that is forged, of another key, too large, expired, from the future, of another name or withdrawn', async () => {
    const [service, other] = [generateIdentity(), generateIdentity()]
    const [, genuine] = record(service)
    const forged = Buffer.from(genuine)
    forged[forged.length - 1]! ^= 1
    const gone = encodeRecord(tombstoneOf(decodeRecord(genuine, { now }), { now }), service)
    const bad: Array<Uint8Array> = [
      forged,
      record(other)[1],
      Buffer.alloc(901, 1),
      Buffer.alloc(60_000, 7),
      record(service, { issuedAt: now + HOUR })[1],
      record(service, { name: 'other.local' })[1],
      gone,
    ]
    for (const bytes of bad) await expect(find([place([[service, bytes]])])).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
    // A withdrawal at one place counts against an older record at another.
    await expect(find([place([record(service)]), place([[service, gone]])])).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
    const late = find([place([record(service, { issuedAt: now - 2 * HOUR })])])
    await expect(late).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND', hint: expect.stringContaining('clock') as string })
  })

  it('asks for the accepted key also where others crowd it out, and never exchanges it', async () => {
    const [service, ...crowd] = Array.from({ length: 9 }, () => generateIdentity())
    const flooded: Place = place(crowd.map((one) => record(one)))
    const kept = { ...flooded, says: [...(flooded.says as Array<readonly [Identity, Uint8Array]>)] }
    const lists: VisitPlace<Place> = (one, work, options) =>
      visit(
        one,
        (ask) =>
          work(async (topic, body) =>
            topic === LOOKUP_TOPICS.record && Buffer.compare(body, service!.publicKey) === 0
              ? Buffer.from(record(service!)[1])
              : ask(topic, body),
          ),
        options,
      )
    const found = await findService(NAME, {
      places: [kept],
      visit: lists,
      clock: at,
      pin: service!.publicKey,
      signal: AbortSignal.timeout(10_000),
    })
    expect(found).toMatchObject({ verified: 'pinned' })
    expect(found.others).toHaveLength(8)
    await expect(find([flooded], service!.publicKey)).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_CONFLICT' })
    await expect(find([flooded])).rejects.toMatchObject({
      code: 'BEAM_ERR_NAME_AMBIGUOUS',
      message: expect.stringContaining('http://x.onion') as string,
    })
  })

  it('goes on with those that answer, waits a while for the others, and says what failed', async () => {
    const service = generateIdentity()
    const failed = await find([place(new Error('gone')), place([record(service)])])
    expect(failed.failures.map(({ message }) => message)).toEqual(['gone'])
    const slow = find([place('nothing'), place([record(service)])])
    await clock.pass(6_000)
    expect((await slow).record.name).toBe(NAME)
    await expect(find([place(new Error('gone'))])).rejects.toThrow('gone')
    await expect(find([place(new Error('gone')), place(new Error('away'))])).rejects.toMatchObject({
      code: 'BEAM_ERR_PEER_UNREACHABLE',
      message: expect.stringContaining('gone') as string,
    })
    const reason = new Error('enough')
    await expect(find([place('nothing')], undefined, AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  it('takes nonsense for a failure of the place', async () => {
    const odd: VisitPlace<Place> = (_place, work) => work(async () => Buffer.alloc(33))
    const asked = findService(NAME, { places: [place([])], visit: odd, clock: at, pin: undefined, signal: AbortSignal.timeout(10_000) })
    await expect(asked).rejects.toMatchObject({ kind: 'protocol' })
  })
})
