import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { ControlClient } from '../../../cli/daemon/control-client.ts'
import { sourceOf } from '../../../cli/daemon/remote-publisher.ts'
import { DAEMON_SOCKET, socketPath } from '../../../cli/daemon/sockets.ts'
import { crash, Home } from './home.ts'

const TUNNELS = 24

it(
  'whatever was confirmed before a kill -9 comes back with its address, and nothing half-written is left',
  { timeout: 60_000 },
  async () => {
    await using home = await Home.make()
    const client = new ControlClient(socketPath(home.paths, DAEMON_SOCKET))
    const source = sourceOf({ env: process.env })
    const confirmed = new Map<string, string>()
    const publish = async (index: number): Promise<void> => {
      const request = { target: { port: 40_000 + index }, options: index % 2 === 0 ? { name: `n${index}` } : {}, source, detach: true }
      for await (const line of client.publish(request)) {
        if ('event' in line && line.event === 'ready') confirmed.set(line.tunnel.id, line.tunnel.endpoints[0]?.address ?? '')
      }
    }
    for (const [from, to] of [
      [0, TUNNELS / 2],
      [TUNNELS / 2, TUNNELS],
    ] as const) {
      const pid = await home.startDaemon()
      const all = Promise.allSettled(Array.from({ length: to - from }, (_, index) => publish(from + index)))
      // In the middle of it: some are confirmed, others are on their way.
      await vi.waitFor(() => expect(confirmed.size).toBeGreaterThanOrEqual(from + 4), { timeout: 20_000, interval: 1 })
      await crash(pid)
      await all
    }
    await home.startDaemon()
    await vi.waitFor(async () => expect((await home.tunnels()).every(({ state }) => state === 'ready')).toBe(true), { timeout: 20_000 })
    const back = new Map((await home.tunnels()).map(({ id, endpoints }) => [id, endpoints[0]?.address]))
    for (const [id, address] of confirmed) expect(back.get(id)).toBe(address)
    expect((await readdir(join(home.paths.data, 'daemon'))).filter((name) => name === 'tunnels.json')).toHaveLength(1)
  },
)
