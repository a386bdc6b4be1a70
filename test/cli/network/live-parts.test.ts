import { EventEmitter } from 'node:events'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { changesBetween, figuresOf, rateOf } from '../../../cli/network/changes.ts'
import { differences, settingsOf } from '../../../cli/network/config-test.ts'
import { changeText } from '../../../cli/network/lines.ts'
import { parsePeriod } from '../../../cli/network/period.ts'
import { Screen, type ScreenKeys, type ScreenTerminal } from '../../../cli/network/screen.ts'
import { resolveConfig } from '../../../config/index.ts'
import { nodeId, peer, snapshot } from './fixtures.ts'

const relayed = (bytes: number) => ({ streams: 1, openStreams: 1, refused: 0, bytes, peersHelped: 1, reservations: 0 })

describe('changes between two looks', () => {
  const before = { at: 1_000, nodes: [snapshot([peer(1), peer(2)], { relayed: relayed(1_000) })] }

  it('are the peers and nodes that came and went', () => {
    const after = { at: 3_000, nodes: [snapshot([peer(2), peer(3)])] }
    expect(changesBetween(before, after)).toEqual([
      { at: 3_000, event: 'peer-down', pid: 4711, peer: nodeId(1) },
      { at: 3_000, event: 'peer-up', pid: 4711, peer: nodeId(3), latencyMs: 41 },
    ])
    expect(changesBetween(before, { at: 3_000, nodes: [] })).toEqual([{ at: 3_000, event: 'node-down', pid: 4711 }])
    const restarted = { at: 3_000, nodes: [snapshot([], { id: nodeId(9) })] }
    expect(changesBetween(before, restarted).map(({ event }) => event)).toEqual(['node-down', 'node-up'])
    expect(changesBetween(before, before)).toEqual([])
  })

  it('are told when all of it happened between the two looks', () => {
    const again = { at: 3_000, nodes: [snapshot([peer(1), { ...peer(2), ageMs: 5 }])] }
    expect(changesBetween(before, again)).toMatchObject([
      { event: 'peer-down', peer: nodeId(2) },
      { event: 'peer-up', peer: nodeId(2) },
    ])
    const restarted = { at: 3_000, nodes: [snapshot([peer(1), peer(2)], { startedAt: 2_000 })] }
    expect(changesBetween(before, restarted).map(({ event }) => event)).toEqual(['node-down', 'node-up', 'peer-up', 'peer-up'])
  })

  it('give rates, and none without two looks at the same node', () => {
    const after = { at: 3_000, nodes: [snapshot([peer(1)], { relayed: relayed(9_000) })] }
    expect(figuresOf(after, before)).toEqual([
      { at: 3_000, event: 'figures', pid: 4711, peers: 1, latencyMs: 17, streams: 1, bytesPerSecond: 4_000 },
    ])
    expect(figuresOf(after)[0]).not.toHaveProperty('bytesPerSecond')
    expect(rateOf(snapshot([], { relayed: relayed(0) }), 3_000, before)).toBeUndefined()
  })

  it('are lines for people', () => {
    const plain = pc.createColors(false)
    expect(changeText({ at: 0, event: 'peer-up', pid: 7, peer: nodeId(1), latencyMs: 3.21 }, plain)).toMatch(
      /^\d\d:\d\d:\d\d 7 \+ peer \w{10} 3\.2 ms$/,
    )
    expect(changeText({ at: 0, event: 'figures', pid: 7, peers: 1 }, plain)).toMatch(/ 7 1 peer$/)
  })
})

describe('a period', () => {
  it('is read as it is typed', () => {
    expect(['90m', '24h', '7d'].map(parsePeriod)).toEqual([5_400_000, 86_400_000, 604_800_000])
    for (const bad of ['', '24', '0h', '33d', '1y', '-1h', '1.5h', '24h ago']) expect(() => parsePeriod(bad)).toThrow(/--period/)
  })
})

describe('the settings of the mesh', () => {
  it('are said with what they do, and how a running node differs from them', async () => {
    const { config } = await resolveConfig({
      p2p: { participation: 'full', routing: 'disabled', bootstrap: [] },
      routing: { strategy: 'geographic' },
    })
    const meanings = Object.fromEntries(settingsOf(config).map(({ setting, meaning }) => [setting, meaning]))
    expect(meanings['p2p.routing']).toContain('neither used nor offered')
    expect(meanings['p2p.bootstrap']).toBe('no DHT')
    expect(Object.values(meanings).every((meaning) => meaning.length > 0)).toBe(true)
    expect(differences(config, snapshot([]).status)).toEqual([
      'p2p.participation is routing there, and full in the settings',
      'p2p.routing is enabled there, and disabled in the settings',
      'routing.strategy is quality there, and geographic in the settings',
    ])
    expect(differences(config, { running: false, discovery: [] })).toEqual([])
  })
})

describe('the screen', () => {
  class Terminal extends EventEmitter {
    written = ''
    raw = false
    readonly isTTY = true
    readonly columns = 40
    readonly rows = 10
    write(text: string): void {
      this.written += text
    }
    setRawMode(raw: boolean): void {
      this.raw = raw
    }
    resume(): void {}
    pause(): void {}
  }

  it('is taken and given back, draws, and ends when q, Escape or Ctrl-C is pressed', () => {
    const terminal = new Terminal()
    const asked: string[] = []
    {
      using screen = new Screen(terminal as ScreenTerminal, terminal as unknown as ScreenKeys, {
        quit: () => asked.push('quit'),
        resized: () => asked.push('resized'),
      })
      expect(terminal.raw).toBe(true)
      screen.draw(['one', 'two'])
      expect(screen.size).toEqual({ columns: 40, rows: 10 })
      for (const key of ['q', 'x', '\u001B[A', '\u001B', '\u0003']) terminal.emit('data', Buffer.from(key))
      terminal.emit('resize')
    }
    expect(asked).toEqual(['quit', 'quit', 'quit', 'resized'])
    expect(terminal.written).toBe('\u001B[?1049h\u001B[?25l\u001B[Hone\u001B[K\r\ntwo\u001B[K\u001B[J\u001B[?25h\u001B[?1049l')
    expect(terminal.raw).toBe(false)
    expect(terminal.listenerCount('data') + terminal.listenerCount('resize')).toBe(0)
  })
})
