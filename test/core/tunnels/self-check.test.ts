import { afterEach, describe, expect, it } from 'vitest'
import type { DialOptions, Path } from '../../../core/powers.ts'
import { UnreachableError, UnsupportedError } from '../../../core/errors.ts'
import { MemoryBackend } from '../../../core/testing/memory-backend.ts'
import { seededRandom } from '../../../core/testing/random.ts'
import { healthSettings } from '../../../core/tunnels/health-settings.ts'
import { canCheckItself, SelfCheck, type Verdict } from '../../../core/tunnels/self-check.ts'
import { ManualClock, PuppetBackend } from './puppet-backend.ts'

/** A network on which every dial ends as the test says. */
class Dials extends MemoryBackend {
  readonly seen: DialOptions[] = []
  outcome: 'ok' | 'hangs' | Error = 'ok'

  override canDial(): boolean {
    return true
  }

  override async reach(_address: string, options: DialOptions = {}): Promise<Path> {
    this.seen.push(options)
    if (this.outcome === 'hangs') await new Promise(() => {})
    if (this.outcome instanceof Error) throw this.outcome
    return { backend: 'memory', kind: 'onion', hops: 6 }
  }
}

const open: SelfCheck[] = []
afterEach(() => {
  for (const check of open.splice(0)) check.stop()
})

function start(options: { secret?: string; afterFailure?: boolean; everyMs?: number; random?: () => number } = {}): {
  backend: Dials
  clock: ManualClock
  verdicts: Verdict[]
  check: SelfCheck
} {
  const [backend, clock, verdicts] = [new Dials(), new ManualClock(), [] as Verdict[]]
  const check = new SelfCheck({
    backend,
    address: () => 'memory://own',
    dial: options.secret === undefined ? {} : { secret: options.secret },
    settings: healthSettings({ probeEveryMs: options.everyMs ?? 60_000, probeLimitMs: 10_000, recoverAfterMs: 30_000 }),
    afterFailure: options.afterFailure ?? false,
    clock,
    random: options.random ?? (() => 0.5),
    onVerdict: (verdict) => verdicts.push(verdict),
  })
  open.push(check)
  check.start()
  return { backend, clock, verdicts, check }
}

const lost = new UnreachableError('no rendezvous')

describe('while all is well', () => {
  it('tells so once, and looks again once a minute', async () => {
    const { backend, clock, verdicts } = start()
    await clock.pass(500)
    expect(verdicts).toEqual([{ works: true, reason: 'it was reached through memory', forMs: 0 }])
    await clock.pass(300_000)
    expect(backend.seen).toHaveLength(6)
    expect(verdicts).toHaveLength(1)
  })

  it('goes over a path of its own each time, and knows the word', async () => {
    const { backend, clock } = start({ secret: 'word' })
    await clock.pass(70_000)
    expect(backend.seen.map(({ secret }) => secret)).toEqual(['word', 'word'])
    expect(backend.seen[0]?.isolation).not.toBe(backend.seen[1]?.isolation)
  })

  it('looks less when visitors get through', async () => {
    const { backend, clock, check } = start()
    for (let second = 0; second < 600; second += 10) {
      check.proved()
      await clock.pass(10_000)
    }
    expect(backend.seen).toHaveLength(1)
  })
})

describe('a failure', () => {
  it('is looked at again at once, and told only when it is none of a single path', async () => {
    const { backend, clock, verdicts } = start()
    await clock.pass(1_000)
    backend.outcome = lost
    await clock.pass(60_000)
    backend.outcome = 'ok'
    await clock.pass(3_000)
    expect(verdicts).toHaveLength(1)
    backend.outcome = lost
    await clock.pass(60_000)
    expect(verdicts.at(-1)).toMatchObject({ works: false, reason: expect.stringContaining('no rendezvous') as string })
  })

  it('is timed from its first dial on', async () => {
    const { backend, clock, verdicts } = start()
    await clock.pass(1_000)
    backend.outcome = 'hangs'
    await clock.pass(90_000)
    // The first dial hung for 10 s, the second for another 10 s after a wait of 1.5 s; the row began when the first was given up.
    expect(verdicts.at(-1)).toMatchObject({ works: false, forMs: 11_500 })
    expect(backend.seen.at(1)?.signal?.aborted).toBe(true)
  })

  it('is no failure when the far end refused, or its service is absent: the way was found', async () => {
    for (const code of ['BEAM_ERR_ACCESS_DENIED', 'BEAM_ERR_SERVICE_DOWN']) {
      const { backend, clock, verdicts } = start()
      backend.outcome = new UnreachableError('no', { code })
      await clock.pass(300_000)
      expect(verdicts.map(({ works }) => works)).toEqual([true])
    }
  })

  it('is no failure where a network cannot dial its own addresses', async () => {
    const { backend, clock, verdicts } = start()
    backend.outcome = new UnsupportedError('not to myself')
    await clock.pass(300_000)
    expect(verdicts.map(({ works }) => works)).toEqual([true])
  })

  it('is over when a dial works, or a visitor gets through', async () => {
    const { backend, clock, verdicts, check } = start()
    backend.outcome = lost
    await clock.pass(65_000)
    expect(verdicts.map(({ works }) => works)).toEqual([true, false])
    check.proved()
    expect(verdicts.map(({ works }) => works)).toEqual([true, false, true])
    await clock.pass(120_000)
    backend.outcome = 'ok'
    await clock.pass(120_000)
    expect(verdicts.map(({ works }) => works)).toEqual([true, false, true, false, true])
  })

  it('is followed by a closer look, until it has worked for long enough', async () => {
    const { backend, clock } = start({ afterFailure: true })
    await clock.pass(31_000)
    // Every 7.5 s, a quarter of the 30 s that it has to work.
    expect(backend.seen).toHaveLength(5)
    await clock.pass(300_000)
    expect(backend.seen.length).toBeLessThan(12)
  })
})

it('looks at once when the backend says that something changed', async () => {
  const { backend, clock, check } = start()
  await clock.pass(1_000)
  check.hurry()
  expect(backend.seen).toHaveLength(2)
  check.hurry()
  await clock.pass(500)
  check.hurry()
  expect(backend.seen).toHaveLength(2)
  await clock.pass(500)
  check.hurry()
  expect(backend.seen).toHaveLength(3)
})

it('leaves no timer behind, and tells nothing after its end', async () => {
  const { backend, clock, verdicts, check } = start()
  backend.outcome = 'hangs'
  await clock.pass(61_000)
  check.stop()
  await clock.pass(1)
  expect(clock.pending).toBe(0)
  check.proved()
  check.hurry()
  expect(verdicts).toHaveLength(1)
})

it('spreads the dials of many publishers that started together (no thundering herd)', async () => {
  const random = seededRandom(3)
  const publishers = Array.from({ length: 200 }, () => start({ random }))
  await Promise.all(publishers.map(({ clock }) => clock.pass(500)))
  const perSecond = new Map<number, number>()
  for (let second = 1; second <= 240; second++) {
    const before = publishers.reduce((sum, { backend }) => sum + backend.seen.length, 0)
    await Promise.all(publishers.map(({ clock }) => clock.pass(1_000)))
    perSecond.set(second, publishers.reduce((sum, { backend }) => sum + backend.seen.length, 0) - before)
  }
  // 200 publishers, a dial a minute each, are 3.3 in a second on average.
  expect(Math.max(...perSecond.values())).toBeLessThan(20)
})

it('says nothing where the ends are connected directly', () => {
  const hidden = new PuppetBackend('hidden')
  const exposing = new PuppetBackend('exposing', { exposes: true })
  expect(canCheckItself(hidden, hidden.getCapabilities())).toBe(true)
  expect(canCheckItself(exposing, exposing.getCapabilities())).toBe(false)
})
