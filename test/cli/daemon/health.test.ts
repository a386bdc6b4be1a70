import { describe, expect, it, vi } from 'vitest'
import type { ProcessTunnels } from '../../../cli/daemon/protocol.ts'
import { addressOf, Home, service } from './home.ts'

interface List {
  readonly processes: readonly ProcessTunnels[]
}

describe('beam status and beam list', { timeout: 120_000 }, () => {
  it('show how the networks of a tunnel and the paths of a connection are', async () => {
    using web = await service()
    await using home = await Home.make()
    await using publisher = home.start(String(web.port), '--name', 'web', '--json')
    const ready = await publisher.event('ready')
    const direct = (ready['tunnel'] as { endpoints: Array<{ direct?: string[] }> }).endpoints[0]?.direct?.[0] ?? addressOf(ready)
    await using visitor = home.start('connect', direct, '--json')
    const { port } = (await visitor.event('listening')) as unknown as { port: number }
    await vi.waitFor(async () => expect(await home.list()).toHaveLength(2), 10_000)

    const { processes } = await home.json<List>('answers#/$defs/list', 'status')
    const published = processes.flatMap(({ tunnels }) => tunnels)
    // On the mesh this machine would answer itself: there are no checks, and so no figures.
    expect(published.map(({ networks }) => networks)).toEqual([[{ backend: 'mesh', state: 'up', breaker: 'closed' }]])
    const connections = processes.flatMap((one) => one.connections ?? [])
    expect(connections).toEqual([
      {
        host: '127.0.0.1',
        port,
        address: direct,
        paths: [
          expect.objectContaining({
            backend: 'mesh',
            state: 'up',
            breaker: 'closed',
            latencyMs: expect.any(Number) as number,
            reliability: 1,
            failed: 0,
            checkedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          }) as unknown,
        ],
      },
    ])

    const { stdout } = await home.run('status')
    expect(stdout).toContain(`● 127.0.0.1:${port}\n`)
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /Health answers in [\d.]+ ms, 100% of attempts worked \(\d+ of \d+ in all\), last one \d+ s ago/,
    )
    expect((await home.run('list')).stdout).toContain('  mesh, active\n')
  })
})
