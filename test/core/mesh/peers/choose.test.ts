import { describe, expect, it } from 'vitest'
import {
  Candidates,
  experienced,
  generateIdentity,
  isLocal,
  prefixOf,
  STRANGER,
  trust,
  UNKNOWN,
  type CandidateSource,
} from '../../../../core/index.ts'
import { choose, worst, type LinkedPeer } from '../../../../core/mesh/peers/choose.ts'
import { seeded } from '../../../simulation/gossip-rounds.ts'
import { ManualClock } from '../../tunnels/puppet-backend.ts'

describe('an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113'],
    ['2001:db8:1:2::5', '2001:db8:1'],
    ['2001:0db8:0001::', '2001:db8:1'],
    ['::ffff', '0:0:0'],
    ['127.0.0.1', undefined],
    ['192.168.1.4', undefined],
    ['::1', undefined],
    ['fe80::1', undefined],
    ['example.com', undefined],
  ])('%s belongs to the network %s', (host, prefix) => {
    expect(prefixOf(host)).toBe(prefix)
  })

  it('may be local', () => {
    expect(['127.9.9.9', '10.1.2.3', '::1', 'fd00::1', '8.8.8.8', 'x'].map(isLocal)).toEqual([true, true, true, true, false, false])
  })
})

describe('trust', () => {
  const DAY = 86_400_000
  it('begins in the middle, grows with promises kept, falls faster with lies, and fades', () => {
    expect(trust(STRANGER, 0)).toBe(0.5)
    let kept = STRANGER
    for (let count = 0; count < 10; count++) kept = experienced(kept, 'kept', 0)
    expect(trust(kept, 0)).toBeGreaterThan(0.9)
    const lied = experienced(kept, 'lied', 0)
    expect(trust(lied, 0)).toBeLessThan(0.55)
    expect(trust(lied, 60 * DAY)).toBeCloseTo(0.5, 1)
  })

  it('is bounded: a thousand good deeds do not outweigh what follows', () => {
    let saint = STRANGER
    for (let count = 0; count < 1_000; count++) saint = experienced(saint, 'kept', 0)
    for (let count = 0; count < 20; count++) saint = experienced(saint, 'broken', 0)
    expect(trust(saint, 0)).toBeLessThan(0.55)
  })
})

describe('candidates', () => {
  const make = (source: CandidateSource, host = '127.0.0.1') => ({ key: generateIdentity().publicKey, contact: { host, port: 1 }, source })

  it('wait longer after every failure, and are ready at once after a success', async () => {
    const clock = new ManualClock()
    const candidates = new Candidates(clock)
    candidates.add(make('dht'))
    const [one] = candidates.ready()
    for (let count = 0; count < 12; count++) candidates.tried(one?.id ?? '', false)
    expect(candidates.ready()).toEqual([])
    await clock.pass(1_800_000 + 1_000)
    expect(candidates.ready()).toHaveLength(1)
    candidates.tried(one?.id ?? '', false)
    candidates.tried(one?.id ?? '', true)
    expect(candidates.ready()).toHaveLength(1)
  })

  it('may be banned for an hour', async () => {
    const clock = new ManualClock()
    const candidates = new Candidates(clock)
    candidates.add(make('dht'))
    const id = candidates.ready()[0]?.id ?? ''
    candidates.ban(id)
    expect([candidates.isBanned(id), candidates.ready().length]).toEqual([true, 0])
    await clock.pass(3_600_001)
    expect([candidates.isBanned(id), candidates.ready().length]).toEqual([false, 1])
    expect(candidates.trustIn(id)).toBeLessThan(0.1)
  })

  it('are bounded, and no source pushes out what the others said', () => {
    const candidates = new Candidates(new ManualClock())
    for (let count = 0; count < 20; count++) candidates.add(make('bootstrap'))
    for (let count = 0; count < 2_000; count++) candidates.add(make('exchange'))
    const sources = candidates.ready().map(({ source }) => source)
    expect(sources.filter((source) => source === 'bootstrap')).toHaveLength(20)
    expect(sources.filter((source) => source === 'exchange').length).toBeLessThanOrEqual(400)
  })

  it('that were reached are remembered for the next start', () => {
    const clock = new ManualClock()
    const candidates = new Candidates(clock)
    candidates.add(make('dht'))
    candidates.add(make('dht'))
    const [good] = candidates.ready()
    candidates.tried(good?.id ?? '', true)
    const stored = candidates.toStore(10)
    expect(stored.map(({ candidate }) => candidate.id)).toEqual([good?.id])
    const next = new Candidates(clock)
    next.restore(stored)
    expect(next.ready()).toMatchObject([{ id: good?.id, source: 'stored' }])
    expect(next.trustIn(good?.id ?? '')).toBeGreaterThan(0.5)
  })
})

describe('the choice', () => {
  const rated = (host: string, source: CandidateSource, trusted = 0.5) => {
    const key = generateIdentity().publicKey
    const prefix = prefixOf(host)
    return {
      candidate: { id: Buffer.from(key).toString('hex'), key, contact: { host, port: 1 }, source },
      trust: trusted,
      ...(prefix === undefined ? {} : { prefix }),
    }
  }
  const options = { count: 8, own: UNKNOWN, random: seeded(1) }

  it('takes two of one network at most, though an attacker has hundreds there', () => {
    const sybils = Array.from({ length: 300 }, (_, index) => rated(`198.51.100.${index % 250}`, 'exchange', 0.5))
    const honest = Array.from({ length: 10 }, (_, index) => rated(`203.0.${index}.1`, 'dht', 0.5))
    const chosen = choose([...sybils, ...honest], [], options)
    expect(chosen.filter(({ contact }) => contact.host.startsWith('198.51.100.')).length).toBeLessThanOrEqual(2)
    expect(chosen).toHaveLength(8)
  })

  it('does not believe one source for more than half', () => {
    const told = Array.from({ length: 300 }, (_, index) => rated(`203.${index % 200}.${index % 7}.1`, 'exchange', 0.9))
    const found = Array.from({ length: 10 }, (_, index) => rated(`198.51.${index}.1`, 'dht', 0.2))
    const chosen = choose([...told, ...found], [], options)
    expect(chosen.filter(({ source }) => source === 'exchange').length).toBeLessThanOrEqual(4)
  })

  it('gives up the least trusted and farthest that nobody uses and that is no newcomer', () => {
    const peer = (id: string, over: Partial<LinkedPeer>): LinkedPeer => ({
      id,
      direction: 'out',
      trust: 0.5,
      ageMs: 1e6,
      busy: false,
      latencyMs: 20,
      ...over,
    })
    const peers = [
      peer('good', { trust: 0.9 }),
      peer('busy', { trust: 0, busy: true }),
      peer('new', { trust: 0, ageMs: 5 }),
      peer('far', { latencyMs: 400 }),
      peer('fair', {}),
    ]
    expect(worst(peers, { own: UNKNOWN, protectMs: 120_000 })?.id).toBe('far')
    expect(worst(peers.slice(1, 3), { own: UNKNOWN, protectMs: 120_000 })).toBeUndefined()
  })
})
