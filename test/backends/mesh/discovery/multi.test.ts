import { describe, expect, it, vi } from 'vitest'
import { MultiDiscovery } from '../../../../backends/mesh/discovery/index.ts'
import type { Announced, AnnouncementState, Discovery, DiscoveryStatus, Found } from '../../../../core/index.ts'
import { all, announcementOf, soon, tcpContacts } from './announcement.ts'

/** A source that answers as it is told. */
function source(name: string, fields: Partial<Discovery> = {}, status: DiscoveryStatus = { state: 'ready' }) {
  let report: (state: AnnouncementState, reason: string) => void = () => {}
  const announced = { update: vi.fn(), state: 'pending' as const, stop: vi.fn(async () => {}) } satisfies Announced
  const discovery: Discovery = {
    name,
    announce: vi.fn((_, onState) => {
      report = onState ?? report
      return announced
    }),
    find: async function* () {},
    claimants: async function* () {},
    status: () => status,
    close: vi.fn(async () => {}),
    ...fields,
  }
  return { discovery, announced, report: (state: AnnouncementState, reason: string) => report(state, reason) }
}

const found = (name: string, port: number): Found => ({ source: name, contacts: [{ kind: 'tcp', host: '127.0.0.1', port }] })
const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('MultiDiscovery', () => {
  it('yields answers as they come, whatever the order of the sources', async () => {
    const slow = source('slow', {
      find: async function* () {
        await after(30)
        yield found('slow', 1)
      },
    })
    const fast = source('fast', {
      find: async function* () {
        yield found('fast', 2)
        await after(60)
        yield found('fast', 3)
      },
    })
    const multi = new MultiDiscovery([slow.discovery, fast.discovery])
    expect(tcpContacts(await all(multi.find(new Uint8Array(32), soon())))).toEqual(['127.0.0.1:2', '127.0.0.1:1', '127.0.0.1:3'])
  })

  it('goes on when a source throws, at once or half-way', async () => {
    const broken = source('broken', {
      find: () => {
        throw new Error('at once')
      },
      claimants: async function* () {
        yield new Uint8Array(32)
        throw new Error('half-way')
      },
    })
    const good = source('good', {
      find: async function* () {
        yield found('good', 1)
      },
      claimants: async function* () {
        await after(5)
        yield new Uint8Array(32)
        yield new Uint8Array(32).fill(1)
      },
    })
    const multi = new MultiDiscovery([broken.discovery, good.discovery])
    expect(await all(multi.find(new Uint8Array(32), soon()))).toHaveLength(1)
    // Each key once, whoever names it.
    expect(await all(multi.claimants('a.local', soon()))).toEqual([new Uint8Array(32), new Uint8Array(32).fill(1)])
  })

  it('tells all sources to end when nobody listens any more, and ends although one hangs', async () => {
    const signals: AbortSignal[] = []
    const hanging = source('hanging', {
      find: async function* (_, { signal }) {
        signals.push(signal)
        yield found('hanging', 1)
        await new Promise(() => {})
      },
    })
    const multi = new MultiDiscovery([hanging.discovery])
    for await (const _ of multi.find(new Uint8Array(32), soon())) break
    expect(signals[0]?.aborted).toBe(true)
    expect(await all(multi.find(new Uint8Array(32), { signal: AbortSignal.timeout(20) }))).toHaveLength(1)
  })

  it('takes a bounded number of answers', async () => {
    let given = 0
    const flood = source('flood', {
      find: async function* () {
        for (;;) {
          given += 1
          yield found('flood', 1 + (given % 60_000))
          if (given % 100 === 0) await after(0)
        }
      },
    })
    expect(await all(new MultiDiscovery([flood.discovery]).find(new Uint8Array(32), soon()))).toHaveLength(256)
  })

  it('is announced as soon as one source holds it, tells of more that do, and has failed when all have', () => {
    const [a, b] = [source('a'), source('b')]
    const onState = vi.fn()
    const announced = new MultiDiscovery([a.discovery, b.discovery]).announce(announcementOf(), onState)
    expect(announced.state).toBe('pending')
    a.report('failed', 'no network')
    expect(announced.state).toBe('pending')
    b.report('announced', 'there')
    a.report('announced', 'back')
    b.report('failed', 'gone')
    a.report('failed', 'gone too')
    expect(onState.mock.calls).toEqual([
      ['announced', 'b: there'],
      ['announced', 'a: back; b: there'],
      ['failed', 'a: gone too; b: gone'],
    ])
  })

  it('passes updates and the end on to every source, and survives one that cannot announce', async () => {
    const a = source('a')
    const broken = source('broken', {
      announce: () => {
        throw new Error('cannot')
      },
      close: () => Promise.reject(new Error('cannot')),
    })
    a.announced.stop.mockRejectedValueOnce(new Error('cannot'))
    const multi = new MultiDiscovery([broken.discovery, a.discovery])
    const announced = multi.announce(announcementOf())
    announced.update(Buffer.from('new'), 7)
    expect(a.announced.update).toHaveBeenCalledWith(Buffer.from('new'), 7)
    await announced.stop()
    await multi.close()
    expect(a.discovery.close).toHaveBeenCalledTimes(1)
  })

  it('says how each source is, and is as good as the best', () => {
    const multi = new MultiDiscovery([
      source('registry', {}, { state: 'idle' }).discovery,
      source('mdns', {}, { state: 'unreachable', detail: 'no network interface' }).discovery,
      source('dht', {}, { state: 'ready', peers: 7 }).discovery,
    ])
    expect(multi.status()).toEqual({ state: 'ready', peers: 7, detail: 'registry idle, mdns unreachable, dht ready' })
    expect(multi.sources()).toEqual([
      { name: 'registry', state: 'idle' },
      { name: 'mdns', state: 'unreachable', detail: 'no network interface' },
      { name: 'dht', state: 'ready', peers: 7 },
    ])
    expect(new MultiDiscovery([]).status().state).toBe('off')
    expect(new MultiDiscovery([]).announce(announcementOf()).state).toBe('failed')
  })
})
