import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { CleanupStack, silentLogger, systemClock } from '../../../../core/index.ts'
import { prepareTargets } from '../../../../backends/_shared/onion/service/local-target.ts'

describe('where visitors of an onion service come out', () => {
  it.each(['127.0.0.1', '::1'])('is where localhost listens (%s), also for tunnels that start at once', async (host) => {
    const server = createServer().listen(0, host)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await using undo = new CleanupStack()
    undo.defer(() => void server.close())
    const setup = { backend: 'tor', port, tunnel: {}, clock: systemClock, logger: silentLogger }
    const ports = [{ port: 80, target: { kind: 'tunnel' as const } }]
    const all = await Promise.all(Array.from({ length: 5 }, async () => (await prepareTargets({ ...setup, ports }, undo))()))
    const expected = host === '::1' ? `[::1]:${port}` : `127.0.0.1:${port}`
    expect(new Set(all.flat().map(({ target }) => target))).toEqual(new Set([expected]))
  })
})
