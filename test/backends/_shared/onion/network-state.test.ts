import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NetworkState } from '../../../../backends/_shared/onion/daemon/network-state.ts'
import type { Message } from '../../../../backends/_shared/onion/control/reply.ts'

const event = (text: string): Message => ({ code: 650, lines: [{ text }] })

describe('the state of the network', () => {
  it('follows the events of a start', () => {
    const state = new NetworkState()
    expect(state.up).toBe(false)
    expect(state.apply(event('STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=75 TAG=enough_dirinfo SUMMARY="Loaded enough directory info"'))).toBe(
      true,
    )
    expect(state.bootstrap).toEqual({ percent: 75, tag: 'enough_dirinfo', summary: 'Loaded enough directory info' })
    state.apply(event('STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"'))
    expect(state.up).toBe(true)
    state.apply(event('NETWORK_LIVENESS DOWN'))
    expect(state.up).toBe(false)
    state.apply(event('NETWORK_LIVENESS UP'))
    expect(state.up).toBe(true)
  })

  it.each([
    ['CLOCK_SKEW SKEW=-7200 MIN_SKEW=0 SOURCE="CONSENSUS"', 'clock', 'behind by 2 hours'],
    ['CLOCK_SKEW SKEW=172800 SOURCE=DIRSERV:127.0.0.1:1', 'clock', 'ahead by 2 days'],
    [
      'BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting" WARNING="No route to host" REASON=NOROUTE COUNT=1',
      'no-network',
      'no way to the Internet',
    ],
    [
      'BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting" WARNING="Connection timed out" REASON=TIMEOUT COUNT=3',
      'blocked',
      'do not answer',
    ],
    ['BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting" WARNING="refused" REASON=CONNECTREFUSED COUNT=3', 'refused', 'refuse'],
    ['BOOTSTRAP PROGRESS=1 TAG=conn_pt SUMMARY="Connecting" WARNING="x" REASON=PT_MISSING', 'transport', 'pluggable transport'],
    ['BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="Handshaking" WARNING="DONE" REASON=DONE COUNT=10', 'blocked', 'end the connection'],
    ['BOOTSTRAP PROGRESS=1 TAG=conn SUMMARY="Connecting" REASON=NEW_WORD', 'other', 'does not go on'],
  ])('knows why it stands still: %s', (text, kind, message) => {
    const state = new NetworkState()
    state.apply(event(`STATUS_CLIENT WARN ${text}`))
    expect(state.obstacle).toMatchObject({ kind, message: expect.stringContaining(message) as string })
    expect(state.obstacle?.advice).not.toBe('')
  })

  it('forgets the obstacle when it goes on, and harmless differences of clocks at once', () => {
    const state = new NetworkState()
    state.apply(event('STATUS_CLIENT WARN CLOCK_SKEW SKEW=20 SOURCE=CONSENSUS'))
    expect(state.obstacle).toBeUndefined()
    state.apply(event('STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="x" REASON=TIMEOUT'))
    state.apply(event('STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=10 TAG=conn_done SUMMARY="x"'))
    expect(state.obstacle).toBeUndefined()
  })

  it('keeps its bounds, whatever the daemon says', () => {
    fc.assert(
      fc.property(fc.string(), fc.double(), fc.string({ maxLength: 400 }), (word, progress, summary) => {
        const state = new NetworkState()
        state.apply(event(`STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=${progress} TAG=${word} SUMMARY="${summary}"`))
        state.applyPhase(word)
        expect(state.bootstrap.percent).toBeGreaterThanOrEqual(0)
        expect(state.bootstrap.percent).toBeLessThanOrEqual(100)
        expect(state.bootstrap.summary.length).toBeLessThanOrEqual(200)
      }),
    )
  })
})
