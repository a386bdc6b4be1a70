import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { i2pStatusText } from '../../../cli/output/i2p-text.ts'

const schema = JSON.parse(readFileSync(new URL('../../../schemas/i2p.schema.json', import.meta.url), 'utf8')) as object
const isStatus = new Ajv2020({ strict: true }).compile(schema)
const plain = pc.createColors(false)

const ANSWER = {
  state: 'running',
  router: { mode: 'private', sam: '127.0.0.1:40123', samVersion: '3.1', version: '2.45.1', pid: 4711, restarts: 2 },
  tunnels: [
    {
      id: 'x',
      name: 'web',
      address: `http://${'a'.repeat(52)}.b32.i2p`,
      state: 'active',
      encrypted: true,
      clients: ['alice', 'bob'],
      tunnels: { length: 3, quantity: 3, variance: 0 },
      session: 'ready',
      reachedSecondsAgo: 12,
      visitors: 2,
      refusedVisitors: 1,
      destination: 'AAAA',
    },
  ],
  diallingSessions: 1,
  dialledStreams: 0,
  bytesIn: 1,
  bytesOut: 2,
  openStreams: 2,
  totalStreams: 9,
}

describe('beam i2p status', () => {
  it('says what is known of the router and of each tunnel', () => {
    isStatus({ instances: [{ pid: 1, ...ANSWER }] })
    expect(isStatus.errors ?? []).toEqual([])
    const text = i2pStatusText(99, ANSWER, 100, plain)
    expect(text).toContain('private, i2pd 2.45.1, SAM 3.1 at 127.0.0.1:40123, process 4711, started again 2 times')
    expect(text).toContain(ANSWER.tunnels[0]?.address)
    expect(text).toContain('12 s ago, through the network')
    expect(text).toContain('encrypted for alice, bob')
    expect(text).toContain('2 now, 1 refused so far')
  })
  it('leaves out what is not known, and prints no control characters of others', () => {
    const text = i2pStatusText(
      1,
      { ...ANSWER, router: 'not there yet', tunnels: [{ address: 'http://x\u001b[31m', state: 'announcing' }] },
      80,
      plain,
    )
    expect(text).toContain('not there yet')
    expect(text).toContain('not yet')
    expect(text).not.toContain('\u001b')
    expect(text).not.toContain('undefined')
  })
})
