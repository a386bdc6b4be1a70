import { afterEach, describe, expect, it } from 'vitest'
import { faulty, type Faulty } from '../../../core/testing/fault-injection.ts'
import type { NetworkHealth } from '../../../core/tunnels/health-report.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import type { Tunnel } from '../../../core/tunnels/publish-setup.ts'
import { isOnTrial } from '../../../core/tunnels/strategy.ts'
import { echoServer, handleOf, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function published(exposes: boolean): Promise<{ tunnel: Tunnel; networks: ReadonlyArray<Faulty<PuppetBackend>> }> {
  const echo = await echoServer()
  open.push(echo.close)
  const networks = ['first', 'second'].map((name) => faulty(new PuppetBackend(name, { exposes }), { delayMs: 20 }))
  const tunnel = await publishTunnel({
    target: { host: '127.0.0.1', port: echo.port },
    chain: networks.map(handleOf),
    strategy: 'fallback',
    health: { probeEveryMs: 1_000, probeLimitMs: 1_000, failAfterMs: 100, recoverAfterMs: 60_000 },
  })
  open.push(() => tunnel.stop())
  return { tunnel, networks }
}

const of = (tunnel: Tunnel, name: string): NetworkHealth | undefined => tunnel.health().find(({ backend }) => backend === name)

describe('how the networks of a tunnel are', () => {
  it('is what its own checks have measured', async () => {
    const before = Date.now()
    const { tunnel } = await published(false)
    const [first, second] = tunnel.health()
    expect(first).toEqual({
      backend: 'first',
      state: 'up',
      breaker: 'closed',
      latencyMs: expect.any(Number) as number,
      reliability: 1,
      succeeded: 1,
      failed: 0,
      checkedAt: expect.any(String) as string,
    })
    // It took 20 ms on purpose.
    expect(first?.latencyMs).toBeGreaterThan(15)
    expect(Date.parse(first?.checkedAt ?? '')).toBeGreaterThanOrEqual(before)
    // Nothing is known of a network that is not used.
    expect(second).toEqual({ backend: 'second', state: 'idle' })
  })

  it('is only the state where this machine would answer itself', async () => {
    const { tunnel } = await published(true)
    expect(tunnel.health()).toEqual([
      { backend: 'first', state: 'up', breaker: 'closed' },
      { backend: 'second', state: 'idle' },
    ])
  })

  it('shows failures, and one that works again but is not trusted yet', { timeout: 30_000 }, async () => {
    const { tunnel, networks } = await published(false)
    networks[0]?.faults.set({ drop: 1 })
    await expect.poll(() => of(tunnel, 'first'), { timeout: 15_000 }).toMatchObject({ state: 'down', breaker: 'open' })
    expect(of(tunnel, 'first')?.failed).toBeGreaterThan(1)
    expect(of(tunnel, 'first')?.reliability).toBeLessThan(0.6)
    await expect.poll(() => of(tunnel, 'second'), { timeout: 10_000 }).toMatchObject({ state: 'up', breaker: 'closed' })
    networks[0]?.faults.set({ drop: 0 })
    await expect.poll(() => of(tunnel, 'first'), { timeout: 15_000 }).toMatchObject({ state: 'up', breaker: 'half-open' })
  })

  it('a trial is a matter of fallback', () => {
    const leg = { state: 'up', sinceMs: 1_000, wasUp: true, falls: 1 } as const
    const hysteresis = { failAfterMs: 3_000, recoverAfterMs: 30_000 }
    expect(isOnTrial(leg, 'fallback', hysteresis)).toBe(true)
    expect(isOnTrial({ ...leg, sinceMs: 31_000 }, 'fallback', hysteresis)).toBe(false)
    expect(isOnTrial({ ...leg, falls: 0 }, 'fallback', hysteresis)).toBe(false)
    expect(isOnTrial(leg, 'load-balance', hysteresis)).toBe(false)
  })
})
