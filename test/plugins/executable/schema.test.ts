import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TIME_LIMITS_MS } from '../../../plugins/executable/limits.ts'
import type { Method } from '../../../plugins/executable/messages.ts'
import {
  NOTIFICATION_NAMES,
  configProblem,
  notificationProblem,
  paramsProblem,
  parseLine,
  resultProblem,
} from '../../../plugins/executable/schema.ts'

const parse = (value: unknown): ReturnType<typeof parseLine> =>
  parseLine(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

describe('parseLine', () => {
  it('says what any bytes are, and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(['success', 'failure', 'call', 'garbage']).toContain(parseLine(bytes).kind)
        },
      ),
    )
  })

  it('tells answers, refusals and notifications apart', () => {
    expect(parse({ jsonrpc: '2.0', id: 1, result: {} })).toMatchObject({ kind: 'success' })
    expect(parse({ jsonrpc: '2.0', id: 1, error: { code: 1, message: 'no' } })).toMatchObject({ kind: 'failure' })
    expect(parse({ jsonrpc: '2.0', method: 'log', params: {} })).toMatchObject({ kind: 'call' })
    expect(parse({ jsonrpc: '2.0', id: 'x', method: 'log' })).toMatchObject({ kind: 'call' })
  })

  it.each([
    ['text', 'Listening…'],
    ['no version', { id: 1, result: {} }],
    ['a batch', [{ jsonrpc: '2.0', id: 1, result: {} }]],
    ['an id that is no number of ours', { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } }],
    ['both result and error', { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '' } }],
    ['an unknown kind of failure', { jsonrpc: '2.0', id: 1, error: { code: 1, message: '', data: { kind: 'internal' } } }],
    ['a message of unbounded length', { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x'.repeat(2_001) } }],
    ['null', 'null'],
  ])('refuses %s', (_what, value) => {
    expect(parse(value)).toMatchObject({ kind: 'garbage' })
  })

  it('refuses what is not UTF-8', () => {
    expect(parseLine(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ kind: 'garbage' })
  })
})

describe('the schemas', () => {
  it('describe the parameters and the result of every method, and every notification', () => {
    for (const method of Object.keys(TIME_LIMITS_MS) as Method[]) {
      expect(paramsProblem(method, 1)).toMatch(/must be object/)
      expect(resultProblem(method, 1)).toMatch(/must be object/)
    }
    for (const name of NOTIFICATION_NAMES) expect(notificationProblem(name, 1)).toMatch(/must be object/)
  })

  it.each([
    ['a socket on another machine', 'dial', { socket: { host: '192.0.2.1', port: 80 }, token: 'x'.repeat(16) }],
    ['a socket at a relative path', 'dial', { socket: { path: 'here' }, token: 'x'.repeat(16) }],
    ['a token with a line feed', 'dial', { socket: { port: 1 }, token: `${'x'.repeat(16)}\n` }],
    ['an address with a line feed', 'resolve_domain', { address: 'a\nb' }],
    ['an address without end', 'resolve_domain', { address: 'x'.repeat(1_025) }],
    [
      'a prefix that fits every address',
      'network_type',
      { networkType: 'x', addresses: { prefixes: [''], suffixes: [] }, dialReveals: [] },
    ],
    ['no endpoint', 'create_tunnel', { id: 'x', endpoints: [] }],
    ['a negative latency', 'network_stats', { latencyMs: -1 }],
  ] as const)('refuse %s', (_what, method, result) => {
    expect(resultProblem(method, result)).toBeDefined()
  })

  it('allow members that they do not name, so that later versions can add some', () => {
    expect(resultProblem('status', { state: 'running', later: true })).toBeUndefined()
    expect(notificationProblem('log', { level: 'info', message: 'x', later: true })).toBeUndefined()
  })

  it('refuse options with a misspelt member or a time limit for no method', () => {
    expect(configProblem({ name: 'x', command: ['x'] })).toBeUndefined()
    expect(configProblem({ name: 'x', command: ['x'], comand: [] })).toMatch(/additional properties/)
    expect(configProblem({ name: 'x', command: ['x'], timeLimitsMs: { dail: 1 } })).toBeDefined()
  })
})
