import { afterEach, describe, expect, it } from 'vitest'
import { MAX_DIAL_SESSIONS } from '../../../backends/i2p/constants.ts'
import { DialSessions, type SessionKind } from '../../../backends/i2p/dial-sessions.ts'
import { silentLogger } from '../../../core/index.ts'
import { ManualClock } from './manual-clock.ts'
import { greeting, ScriptedRouter } from './scripted-router.ts'

let router: ScriptedRouter
let sessions: DialSessions
let clock: ManualClock
afterEach(async () => {
  sessions.close()
  await router[Symbol.asyncDispose]()
})

async function open(): Promise<void> {
  router = await ScriptedRouter.start(greeting(() => undefined))
  clock = new ManualClock()
  sessions = new DialSessions({
    sam: async () => router.at,
    shape: { length: 3, quantity: 3, variance: 0 },
    clock,
    logger: silentLogger,
  })
}
const kind = (isolation: string): SessionKind => ({ isolation, clientKey: undefined, key: undefined })
const borrow = (isolation: string): ReturnType<DialSessions['borrow']> => sessions.borrow(kind(isolation), undefined)

describe('sessions for dialling', () => {
  it('are one for each isolation value, each with keys of the moment and a lease set that is not published', async () => {
    await open()
    const [a, b, again] = [await borrow('a'), await borrow('b'), await borrow('a')]
    expect(a.session).toBe(again.session)
    expect(a.session).not.toBe(b.session)
    await expect.poll(() => router.heard('SESSION CREATE')).toHaveLength(2)
    for (const line of router.heard('SESSION CREATE')) {
      expect(line).toContain('DESTINATION=TRANSIENT SIGNATURE_TYPE=7')
      expect(line).toContain('i2cp.dontPublishLeaseSet=true')
      expect(line).toContain('outbound.quantity=2')
    }
  })

  it('are made by one attempt for all who wait for it', async () => {
    await open()
    const [a, b] = await Promise.all([borrow('a'), borrow('a')])
    expect(a.session).toBe(b.session)
  })

  it('are bounded: an idle one makes room, and one in use is never shared with another value', async () => {
    await open()
    const busy = []
    for (let index = 0; index < MAX_DIAL_SESSIONS; index++) busy.push(await borrow(String(index)))
    await expect(borrow('one too many')).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('isolated') as string,
    })
    busy[3]?.release()
    const next = await borrow('next')
    expect(sessions.size).toBe(MAX_DIAL_SESSIONS)
    expect(busy[3]?.session.alive).toBe(false)
    expect(next.session.alive).toBe(true)
  })

  it('are closed when nobody used them for ten minutes', async () => {
    await open()
    const { session, release } = await borrow('a')
    await clock.pass(3_600_000)
    expect(session.alive).toBe(true)
    release()
    await clock.pass(599_000)
    expect(session.alive).toBe(true)
    await clock.pass(2_000)
    expect(session.alive).toBe(false)
    expect(sessions.size).toBe(0)
  })

  it('that know a lease set which leads nowhere serve the streams they have, and no new ones', async () => {
    await open()
    const [old, other] = [await borrow('a'), await borrow('a')]
    old.retire()
    const fresh = await borrow('a')
    expect(fresh.session).not.toBe(old.session)
    old.release()
    expect(old.session.alive).toBe(true)
    other.release()
    await expect.poll(() => old.session.alive).toBe(false)
    expect(fresh.session.alive).toBe(true)
  })

  it('that the router drops are made anew for the next stream', async () => {
    await open()
    const { session } = await borrow('a')
    router.drop()
    await session.closed
    const next = await borrow('a')
    expect(next.session).not.toBe(session)
  })

  it('leave nothing behind', async () => {
    await open()
    const [a, b] = [await borrow('a'), await borrow('b')]
    b.retire()
    sessions.close()
    a.release()
    b.release()
    await expect.poll(() => a.session.alive || b.session.alive).toBe(false)
    expect(clock.pending).toBe(0)
  })
})
