import { describe, expect, it } from 'vitest'
import { generateIdentity, Gossip, silentLogger, type GossipMessage, type Verdict } from '../../../../core/index.ts'
import { encodeIds, toBatches } from '../../../../core/mesh/gossip/batches.ts'
import { encodeEnvelope, messageId, sealMessage } from '../../../../core/mesh/gossip/message.ts'
import { RecentMessages } from '../../../../core/mesh/gossip/recent.ts'
import { ManualClock } from '../../tunnels/puppet-backend.ts'

interface Sent {
  readonly peer: string
  readonly topic: string
  readonly body: Uint8Array
}

function gossip(peers: string[], verdict: Verdict = 'good') {
  const sent: Sent[] = []
  const taken: GossipMessage[] = []
  const bad: string[] = []
  const clock = new ManualClock()
  const made = new Gossip({
    identity: generateIdentity(),
    clock,
    logger: silentLogger,
    transport: {
      peers: () => peers,
      ask: async (peer, topic, body) => {
        sent.push({ peer, topic, body })
        return encodeIds([])
      },
    },
    take: (message) => {
      taken.push(message)
      return verdict
    },
    onBadPeer: (peer) => bad.push(peer),
  })
  return { gossip: made, sent, taken, bad, clock }
}

const stranger = generateIdentity()
let sequence = 0
function news(clock: { now(): number }, hops = 5): Uint8Array {
  const message = {
    type: 'announce',
    sequence: sequence++,
    sentAt: Math.floor(clock.now()),
    ttlSeconds: 60,
    payload: Buffer.from('x'),
  } as const
  return encodeEnvelope(sealMessage(message, stranger, hops))
}
const batch = (...messages: Uint8Array[]): Uint8Array => toBatches(messages)[0] as Uint8Array
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `peer-${index}`)

describe('gossip', () => {
  it('hands news on to six others with one hop less, never back, and each once', () => {
    const { gossip: node, sent, taken, clock } = gossip(names(20))
    const message = news(clock)
    node.answer('peer-0', 'gossip/push', batch(message))
    node.answer('peer-1', 'gossip/push', batch(message))
    expect(taken).toHaveLength(1)
    const pushes = sent.filter(({ topic }) => topic === 'gossip/push')
    expect(new Set(pushes.map(({ peer }) => peer)).size).toBe(6)
    expect(pushes.map(({ peer }) => peer)).not.toContain('peer-0')
  })

  it('does not hand on what has no hops left, is stale or bad', () => {
    for (const [verdict, hops] of [
      ['good', 0],
      ['stale', 5],
      ['bad', 5],
    ] as const) {
      const { gossip: node, sent, clock } = gossip(names(20), verdict)
      node.answer('peer-0', 'gossip/push', batch(news(clock, hops)))
      expect(sent).toEqual([])
    }
  })

  it('tells the others what it has, and sends what they want, once', async () => {
    const { gossip: node, sent, clock } = gossip(names(20))
    const message = news(clock)
    node.answer('peer-0', 'gossip/push', batch(message))
    const pushed = new Set(sent.map(({ peer }) => peer))
    sent.length = 0
    node.tell()
    expect(sent.map(({ topic }) => topic)).toEqual(Array.from({ length: 13 }, () => 'gossip/have'))
    expect(sent.some(({ peer }) => pushed.has(peer) || peer === 'peer-0')).toBe(false)
    sent.length = 0
    node.tell()
    expect(sent).toEqual([])
  })

  it('says which of the ids that it is told of it wants', () => {
    const { gossip: node, clock } = gossip([])
    const known = news(clock)
    node.answer('peer-0', 'gossip/push', batch(known))
    const unknown = 'ab'.repeat(16)
    const [, signed] = [
      known,
      sealMessage(
        { type: 'announce', sequence: sequence - 1, sentAt: Math.floor(clock.now()), ttlSeconds: 60, payload: Buffer.from('x') },
        stranger,
      ),
    ]
    const wanted = node.answer('peer-1', 'gossip/have', encodeIds([messageId(signed), unknown]))
    expect(Buffer.from(wanted)).toEqual(Buffer.from(encodeIds([unknown])))
  })

  it('tells a new peer everything that is still news', () => {
    const { gossip: node, sent, clock } = gossip([])
    node.answer('peer-0', 'gossip/push', batch(news(clock), news(clock)))
    node.onPeer('late')
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({ peer: 'late', topic: 'gossip/have' })
  })

  it('leaves a peer that forges, after five forgeries, and no honest one', () => {
    const { gossip: node, bad, clock } = gossip([])
    const forged = (): Uint8Array => {
      const bytes = Buffer.from(news(clock))
      bytes[bytes.length - 1]! ^= 1
      return bytes
    }
    for (let count = 0; count < 4; count++) node.answer('forger', 'gossip/push', batch(forged()))
    node.answer('honest', 'gossip/push', batch(news(clock)))
    expect(bad).toEqual([])
    node.answer('forger', 'gossip/push', batch(forged()))
    expect(bad).toEqual(['forger'])
  })

  it.each([
    ['an hour ahead', 3_600_000],
    ['an hour behind', -3_600_000],
  ])('thinks no worse of peers because a clock is %s, and says whose it seems to be', async (_what, offsetMs) => {
    const { gossip: node, bad, taken, clock } = gossip(names(3))
    await clock.pass(7_200_000)
    const other = { now: () => clock.now() + offsetMs }
    // One whose clock is wrong is none of ours; when everybody else's is, it is this one's.
    const said = (identity: ReturnType<typeof generateIdentity>, by: { now(): number }): Uint8Array => {
      const message = {
        type: 'announce',
        sequence: sequence++,
        sentAt: Math.floor(by.now()),
        ttlSeconds: 60,
        payload: Buffer.from('x'),
      } as const
      return encodeEnvelope(sealMessage(message, identity))
    }
    for (let count = 0; count < 3; count++) node.answer('peer-1', 'gossip/push', batch(said(generateIdentity(), clock)))
    for (let count = 0; count < 40; count++) node.answer('peer-0', 'gossip/push', batch(said(stranger, other)))
    expect(node.clock).toBeUndefined()
    for (let count = 0; count < 12; count++) node.answer('peer-2', 'gossip/push', batch(said(generateIdentity(), other)))
    expect(bad).toEqual([])
    expect(node.opinionOf('peer-0')).toMatchObject({ invalid: 0, opinion: 0 })
    expect(taken).toHaveLength(3)
    expect(node.clock).toEqual({ offsetMs, nodes: 13 })
  })

  it('takes no more from a peer that floods, and leaves it in the end', () => {
    const { gossip: node, taken, bad, clock } = gossip([])
    for (let count = 0; count < 600; count++) node.answer('flood', 'gossip/push', batch(news(clock)))
    expect(taken).toHaveLength(500)
    for (let count = 0; count < 120; count++) node.answer('flood', 'gossip/push', batch(news(clock)))
    expect(bad).toEqual(['flood'])
  })

  it('refuses what is malformed and counts it against the peer', () => {
    const { gossip: node } = gossip([])
    expect(() => node.answer('peer-0', 'gossip/push', Buffer.from('nonsense'))).toThrow()
    expect(node.opinionOf('peer-0')).toMatchObject({ invalid: 1 })
  })
})

it('the memory of messages is bounded, however many come', () => {
  const recent = new RecentMessages({ maxSeen: 100 })
  for (let count = 0; count < 10_000; count++) {
    const id = String(count)
    expect(recent.note(id)).toBe(true)
    recent.keep(id, Buffer.alloc(10_000), 1)
  }
  expect(recent.has('9999')).toBe(true)
  expect(recent.has('9960')).toBe(true)
  expect(recent.has('9800')).toBe(false)
  expect(recent.ids(0).length).toBeLessThanOrEqual(420)
  expect(recent.ids(2)).toEqual([])
})
