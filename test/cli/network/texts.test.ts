import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { analyse } from '../../../cli/network/analysis.ts'
import { healthOf } from '../../../cli/network/health.ts'
import { hoursOf } from '../../../cli/network/hours.ts'
import { analysisText } from '../../../cli/output/network/analysis-text.ts'
import { cutLine, widthOf } from '../../../cli/output/network/canvas.ts'
import { dashboardLines, placesOf, watchLines } from '../../../cli/output/network/dashboard-text.ts'
import { mapLegend, mapLines } from '../../../cli/output/network/map-text.ts'
import { peersText } from '../../../cli/output/network/peers-text.ts'
import { analyticsText, myStatsText, statsText } from '../../../cli/output/network/period-text.ts'
import { sparkline } from '../../../cli/output/network/sparkline.ts'
import { healthText, statusText } from '../../../cli/output/network/status-text.ts'
import { testPassed, testText } from '../../../cli/output/network/test-text.ts'
import { bytesText, msText, timeText } from '../../../cli/output/network/words.ts'
import { nodeId, peer, period, snapshot } from './fixtures.ts'

const plain = pc.createColors(false)
const bright = pc.createColors(true)
const many = snapshot(Array.from({ length: 20 }, (_, index) => peer(index + 1)))
const none = snapshot([], { peers: 0, inbound: 0, heard: 0, relays: [], addresses: [] })
const now = 1_800_000_090_000

describe('figures', () => {
  it('are said in the units that people use', () => {
    expect([0, 999, 1000, 1_234_000_000, 5e15].map(bytesText)).toEqual(['0 B', '999 B', '1.0 KB', '1.2 GB', '5000 TB'])
    expect([0.42, 45.2, 1234].map(msText)).toEqual(['0.4 ms', '45 ms', '1.2 s'])
    expect([40_000, 720_000, 3_600_000, 86_400_000, 604_800_000].map(timeText)).toEqual(['40 s', '12 min', '1 h', '24 h', '7 d'])
  })

  it('become bars, and nothing where nothing was measured', () => {
    expect(sparkline([0, undefined, 4, 8])).toBe('▁ ▅█')
    expect(sparkline([0, 0])).toBe('▁▁')
  })
})

describe('the status', () => {
  it('says what was measured', () => {
    const text = statusText(many, now, 80, plain)
    expect(text).toContain('● Node of the mesh, process 4711')
    expect(text).toContain('Peers       20 of at most 50, 6 of them dialled this node')
    expect(text).toContain('23 routes (2 open, 1 refused), 1.2 GB, 45 peers helped')
    expect(text).toContain('Up          90 s')
  })

  it('says nothing of latencies without a measurement, nor anything of a node that is not up', () => {
    expect(statusText(none, now, 80, plain)).not.toContain('Latency')
    const text = statusText({ ...none, status: { running: false, discovery: [] } }, now, 80, plain)
    expect(text).toContain('○ Node of the mesh')
    expect(text).toContain('not up')
  })
})

describe('health', () => {
  it('is the worst of what is known', () => {
    expect(healthOf(snapshot(many.peers.slice(0, 8))).verdict).toBe('good')
    expect(healthOf(many).verdict).toBe('warning')
    expect(healthOf(none)).toMatchObject({ verdict: 'bad' })
    expect(healthOf(snapshot([peer(1)])).verdict).toBe('warning')
    const slow = [1, 2, 4, 5].map((index) => peer(index, { latencyMs: 800 }))
    expect(healthOf(snapshot(slow)).checks.find(({ what }) => what === 'latency')?.verdict).toBe('bad')
    const alike = [1, 2, 4, 5, 7].map((index) => peer(index, { prefix: '192.0.2.0/24' }))
    expect(healthOf(snapshot(alike)).checks.find(({ what }) => what === 'diversity')?.verdict).toBe('warning')
    const surrounded = [1, 2, 4, 5].map((index) => peer(index, { direction: 'in' }))
    expect(healthOf(snapshot(surrounded)).checks.find(({ what }) => what === 'own choice')?.verdict).toBe('warning')
    const cut = { partition: { since: now, lost: 9, heard: 8 } }
    expect(healthOf(snapshot(many.peers, cut)).checks.at(-1)).toMatchObject({ what: 'whole', verdict: 'warning' })
    const late = healthOf(snapshot(many.peers, { clock: { offsetMs: 3_600_000, nodes: 9 } })).checks.at(-1)
    expect(late).toMatchObject({ what: 'clock', verdict: 'bad', text: expect.stringMatching(/^9 nodes say that it is 1 h later: set/) })
  })

  it('judges nothing that was not measured', () => {
    const unmeasured = [1, 2, 4].map((index) => {
      const { latencyMs: _, ...rest } = peer(index)
      return rest
    })
    const { checks } = healthOf(snapshot(unmeasured))
    expect(checks.find(({ what }) => what === 'latency')?.verdict).toBe('unknown')
    expect(healthText(healthOf(many), many.owner, 80, plain)).toContain('  ✓ peers        20 linked\n')
  })
})

describe('peers', () => {
  it('are listed nearest first, with places only when they are asked for', () => {
    const text = peersText(many.peers, 80, plain)
    expect(text.split('\n')[1]).toContain(nodeId(1).slice(0, 10))
    expect(text).not.toContain('192.')
    expect(peersText(many.peers.slice(0, 1), 80, plain, { geo: true })).toContain('192.1.2.0/24')
    expect(peersText([{ ...peer(1), country: 'PT' }], 80, plain, { geo: true })).toContain('COUNTRY')
    expect(peersText([], 80, plain)).toBe('No peers.\n')
    for (const columns of [80, 64, 50, 40])
      for (const line of peersText(many.peers, columns, plain).split('\n')) expect(line.length).toBeLessThanOrEqual(columns)
    expect(peersText(many.peers.slice(0, 1), 40, plain)).toMatch(/^PEER {8}LATENCY  TRUST  NOW\n\S+ +17 ms +0\.70 +busy\n$/)
  })

  it('are broken down by what is known of them', () => {
    const analysis = analyse(many, (host) => (host.endsWith('1') ? 'PT' : undefined))
    expect(analysis).toMatchObject({ peers: 20, inbound: 6, latencyMs: { median: 125, p95: 233, most: 245 } })
    expect(analysis.countries).toEqual([
      { of: 'not known', count: 18 },
      { of: 'PT', count: 2 },
    ])
    expect(analysisText(analysis, many.owner, 80, plain)).toContain('not known                  18   90.0 %')
    expect(analyse(none)).not.toHaveProperty('latencyMs')
    expect(analyse(none)).not.toHaveProperty('countries')
  })
})

describe('the map', () => {
  const self = { position: [0, 0, 0] as const, height: 1, error: 0.2 }

  it('draws every peer once, farther out the longer the way is', () => {
    for (const size of [
      { columns: 80, rows: 20 },
      { columns: 140, rows: 36 },
      { columns: 20, rows: 7 },
    ]) {
      const lines = mapLines(self, placesOf(many), size, plain)
      expect(lines).toHaveLength(size.rows)
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(size.columns)
      expect(lines.join('')).toContain('@')
      if (size.columns < 80) continue
      for (const mark of '123456789abcdefghijk')
        expect(
          lines
            .join('')
            .replaceAll(/[\d.]+ (?:ms|s)/g, '')
            .split(mark),
        ).toHaveLength(2)
    }
  })

  it('keeps to one direction peers of one place', () => {
    const places = [1, 2, 3].map((index) => ({ id: nodeId(index), coordinate: { ...self, height: 5 } }))
    const lines = mapLines(self, places, { columns: 60, rows: 15 }, plain).join('\n')
    for (const mark of '123') expect(lines).toContain(mark)
  })

  it('says who is who, and how the figure came about', () => {
    const [first] = mapLegend(
      self,
      placesOf(many, () => 'PT'),
      plain,
    )
    expect(first).toMatch(new RegExp(`^1  ${nodeId(1).slice(0, 10)}  17 ms measured, \\d+ ms by coordinates, PT$`))
  })
})

describe('frames', () => {
  it.each([
    [80, 24],
    [140, 40],
    [40, 10],
    [20, 5],
    [100, 16],
  ])('fit a terminal of %i columns and %i rows, with colours and without', (columns, rows) => {
    for (const paint of [plain, bright]) {
      for (const lines of [dashboardLines, watchLines]) {
        for (const shown of [many, none]) {
          const frame = lines({ snapshot: shown, now, period: period(), bytesPerSecond: 1000 }, { columns, rows }, paint)
          expect(frame.length).toBeLessThanOrEqual(rows)
          for (const line of frame) expect(widthOf(line)).toBeLessThanOrEqual(columns)
          if (paint === plain) expect(frame.join('')).not.toContain('\u001B')
        }
      }
    }
  })

  it('are cut between colours without breaking them', () => {
    const cut = cutLine(bright.green('hello there'), 6)
    expect(widthOf(cut)).toBe(6)
    expect(cut).toBe('\u001B[32mhello\u001B[39m…')
  })
})

describe('the past', () => {
  it('is told in figures and bars', () => {
    const text = statsText(period(), 80, plain)
    expect(text).toContain('The last 1 h, 30 samples')
    expect(text).toContain('27 min, 90.0 % of the time that is on record')
    expect(text).toContain('ready in 98.7 % of the samples')
    expect(text).toMatch(/peers +[▁▂▃▄▅▆▇█]+ {2}most 19/)
    for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(80)
  })

  it('is nothing where nothing was measured', () => {
    const {
      peers: _,
      latencyMs: __,
      discoverable: ___,
      oldest: ____,
      ...empty
    } = period({ samples: 0, upMs: 0, streams: 0, bytes: 0, buckets: [] })
    expect(statsText(empty, 80, plain)).toContain('Nothing was measured')
    expect(analyticsText({ period: empty, before: empty, hours: [] }, 80, plain)).toContain('Nothing was measured')
    expect(myStatsText(empty, [], plain)).not.toContain('Uptime')
  })

  it('shows a contribution as the guide does', () => {
    const { relayed } = many.status
    expect(myStatsText(period(), relayed === undefined ? [] : [{ participation: 'routing', relayed }], plain)).toBe(
      'Your Network Contribution, the last 1 h:\n├── Routes Provided: 23, 2 open now\n├── Data Relayed: 1.2 GB\n├── Uptime: 90.0 % (27 min)\n└── Peers Helped: 45 since the node came up\n',
    )
    expect(myStatsText(period(), [{ participation: 'light' }], plain)).toContain('beam config set p2p.participation routing')
    expect(myStatsText(period(), [{ participation: 'full' }], plain)).toContain('relays nothing, as its settings say')
  })

  it('is compared with the time before it and by the hours of the day', () => {
    const hours = hoursOf(period(), 60)
    expect(hours.reduce((sum, { samples }) => sum + samples, 0)).toBe(30)
    expect(hoursOf(period(), 0.5)).toEqual([])
    const text = analyticsText({ period: period(), before: period({ bytes: 617_000_000 }), hours }, 80, plain)
    expect(text).toContain('1.2 GB, before 617 MB (+100 %)')
    expect(text).toContain('HOUR')
  })
})

describe('a test of the connectivity', () => {
  const good = {
    running: true,
    peers: [{ id: nodeId(1), ok: true, roundTripMs: 12, observed: '198.51.100.7:4001' }],
    discovery: many.status.discovery,
  }

  it('says who answered and how this machine is seen', () => {
    const text = testText(good, many.owner, 80, plain)
    expect(text).toContain('answered in 12 ms')
    expect(text).toContain('Seen as 198.51.100.7 by 1 peer.')
    expect(testPassed(good)).toBe(true)
  })

  it('fails when nobody answers or a source is not reached, and not when no node is needed', () => {
    expect(testPassed({ ...good, peers: [{ id: nodeId(1), ok: false, reason: 'gone' }] })).toBe(false)
    expect(testPassed({ ...good, discovery: [{ name: 'dht', state: 'unreachable' }] })).toBe(false)
    expect(testPassed({ running: false, peers: [], discovery: [] })).toBe(true)
  })
})
