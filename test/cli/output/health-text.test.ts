import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import type { TunnelRecord } from '../../../cli/daemon/protocol.ts'
import { briefHealth, connectionText, healthText, networkFields } from '../../../cli/output/health-text.ts'

const plain = pc.createColors(false)
const at = '2030-01-01T00:00:00.000Z'
const later = (ms: number): number => Date.parse(at) + ms

describe('how a network is, in words', () => {
  it('tells what was measured', () => {
    const health = { breaker: 'closed', latencyMs: 340.4, reliability: 0.976, succeeded: 41, failed: 1, checkedAt: at } as const
    expect(healthText(health, later(12_000))).toBe('answers in 340 ms, 98% of attempts worked (41 of 42 in all), last one 12 s ago')
    expect(briefHealth(health)).toBe('340 ms, 98%')
    expect(healthText({ ...health, latencyMs: 2_345, reliability: 0.999, breaker: 'half-open' }, later(600_000))).toBe(
      'answers in 2.3 s, 99% of attempts worked (41 of 42 in all), last one 10 min ago, on trial',
    )
  })

  it('says nothing where nothing was measured', () => {
    expect(healthText({ breaker: 'closed' })).toBe('')
    expect(briefHealth({})).toBe('')
  })

  it('shows each network of a tunnel once, also those without an address', () => {
    const endpoint = { state: 'active', reveals: [] } as const
    const record: TunnelRecord = {
      id: 't1',
      host: 'localhost',
      port: 3000,
      state: 'ready',
      kept: false,
      since: at,
      endpoints: [
        { ...endpoint, backend: 'tor', address: 'http://x.onion' },
        { ...endpoint, backend: 'tor', address: 'http://y.onion' },
      ],
      networks: [
        { backend: 'tor', state: 'up', breaker: 'closed', latencyMs: 340, reliability: 1 },
        { backend: 'i2p', state: 'idle' },
      ],
    }
    expect(networkFields(record, 80, plain)).toEqual([
      '  Address   http://x.onion\n',
      '  Path      tor, active\n',
      '  Health    answers in 340 ms, 100% of attempts worked\n',
      '  Address   http://y.onion\n',
      '  Path      tor, active\n',
      '  Network   i2p, not wanted now\n',
    ])
  })

  it('shows a connection with its paths', () => {
    const path = { label: 'mesh', backend: 'mesh', address: 'beam://x', state: 'up', score: 0.9, kind: 'direct', latencyMs: 1.26 } as const
    const other = { label: 'i2p', backend: 'i2p', address: 'x.b32.i2p', state: 'down', score: 0, breaker: 'open' } as const
    expect(connectionText({ host: '127.0.0.1', port: 8080, address: 'beam://x', paths: [path, other] }, 80, plain)).toBe(
      '\n● 127.0.0.1:8080\n  Leads to  beam://x\n  Path      mesh, direct, up\n  Health    answers in 1.3 ms\n  Path      i2p, down\n',
    )
  })
})
