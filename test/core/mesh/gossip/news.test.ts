import { describe, expect, it } from 'vitest'
import { encodeHeartbeat, encodeRoutes, generateIdentity, News, RecordCache, type GossipMessage } from '../../../../core/index.ts'
import { encodeRecord } from '../../../../core/records/codec.ts'
import { newRecord, tombstoneOf, type ServiceRecord } from '../../../../core/records/record.ts'
import { ManualClock } from '../../tunnels/puppet-backend.ts'

const service = generateIdentity()
const clock = new ManualClock()
const now = (): number => Math.floor(clock.now())

function record(identity = service, over: Partial<ServiceRecord> = {}): ServiceRecord {
  return {
    ...newRecord({ serviceKey: identity.publicKey, name: 'web.local', endpoints: ['/ip4/127.0.0.1/tcp/80'] }, { now: now() }),
    ...over,
  }
}

describe('the record cache', () => {
  it('finds what was announced, by key and by name, and forgets it when it is withdrawn', () => {
    const cache = new RecordCache(clock)
    const announced = record()
    const bytes = encodeRecord(announced, service)
    expect(cache.take(bytes, 'node', false)).toBe('good')
    expect(Buffer.from(cache.find(service.publicKey) ?? [])).toEqual(Buffer.from(bytes))
    expect(cache.claimants('web.local')).toHaveLength(1)
    const gone = encodeRecord(tombstoneOf(announced, { now: now() }), service)
    expect(cache.take(gone, 'node', true)).toBe('good')
    expect(cache.claimants('web.local')).toEqual([])
    // A replay of the older one does not bring it back.
    expect(cache.take(bytes, 'node', false)).toBe('stale')
  })

  it('calls forged and mislabelled records bad and expired ones stale', async () => {
    const cache = new RecordCache(clock)
    const bytes = Buffer.from(encodeRecord(record(), service))
    expect(cache.take(bytes, 'node', true)).toBe('bad')
    const short = encodeRecord(record(service, { ttlSeconds: 1 }), service)
    await clock.pass(302_000)
    expect(cache.take(short, 'node', false)).toBe('stale')
    bytes[bytes.length - 1]! ^= 1
    expect(cache.take(bytes, 'node', false)).toBe('bad')
    expect(cache.size).toBe(0)
  })

  it('holds a bounded number, and few of one node', () => {
    const cache = new RecordCache(clock, { max: 100 })
    const take = (origin: string): string => {
      const identity = generateIdentity()
      return cache.take(encodeRecord(record(identity), identity), origin, false)
    }
    for (let count = 0; count < 128; count++) take(`node-${count}`)
    expect(cache.size).toBe(100)
    const greedy = new RecordCache(clock)
    const verdicts = Array.from({ length: 130 }, () => {
      const identity = generateIdentity()
      return greedy.take(encodeRecord(record(identity), identity), 'greedy', false)
    })
    expect(verdicts.filter((verdict) => verdict === 'good')).toHaveLength(128)
  })
})

describe('news of nodes', () => {
  const node = generateIdentity()
  const heartbeat = (sentAt: number, sequence = sentAt): GossipMessage => ({
    type: 'heartbeat',
    origin: node.publicKey,
    sequence,
    sentAt,
    ttlSeconds: 60,
    payload: encodeHeartbeat({ participation: 'full', contacts: [{ host: '127.0.0.1', port: 1 }], links: 3 }),
  })
  const routes = (sequence: number): GossipMessage => ({
    ...heartbeat(now(), sequence),
    type: 'route-update',
    payload: encodeRoutes([{ to: Buffer.alloc(32), latencyMs: 5 }]),
  })

  it('tell who lives, for two minutes', async () => {
    const news = new News({ clock, records: new RecordCache(clock) })
    expect(news.take(heartbeat(now()))).toBe('good')
    expect(news.nodes()).toMatchObject([{ participation: 'full', links: 3 }])
    expect(news.take(heartbeat(now() + 1_000))).toBe('stale')
    expect(news.take({ ...heartbeat(now() + 10_000), payload: Buffer.from('no') })).toBe('bad')
    await clock.pass(121_000)
    expect(news.nodes()).toEqual([])
  })

  it('tell of paths, of nodes that are known to live, in order', () => {
    const heard: number[] = []
    const news = new News({ clock, records: new RecordCache(clock), listeners: { onRoutes: (_, { length }) => heard.push(length) } })
    expect(news.take(routes(1))).toBe('stale')
    news.take(heartbeat(now()))
    expect(news.take(routes(2))).toBe('good')
    expect(news.take(routes(2))).toBe('stale')
    expect(news.take({ ...routes(3), payload: Buffer.from('no') })).toBe('bad')
    expect(heard).toEqual([1])
  })
})
