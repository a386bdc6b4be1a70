import { afterEach, describe, expect, it } from 'vitest'
import { faultOf } from '../../../../cli/daemon/validate.ts'
import { isOperable } from '../../../../core/index.ts'
import type { MeshBackend } from '../../../../backends/mesh/index.ts'
import { testMesh, testPaths } from '../../../helpers/mesh.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function mesh(config: Parameters<typeof testMesh>[2] = {}): Promise<MeshBackend> {
  const paths = await testPaths()
  const backend = await testMesh(paths, {}, config)
  open.push(paths, backend)
  return backend
}

async function answer<T>(backend: MeshBackend, operation: string, shape: string, input = {}): Promise<T> {
  expect(isOperable(backend)).toBe(true)
  const said = JSON.parse(JSON.stringify(await backend.operate(operation, input))) as T
  expect(faultOf(`network#/$defs/${shape}`, said)).toBeUndefined()
  return said
}

type Status = { running: boolean; addresses: string[]; peers: number; participation: string; relayed?: object; records: number }

describe('operations of the mesh', () => {
  it('tell how the node is, what its peers answer and what was measured', { timeout: 30_000 }, async () => {
    const [one, other] = [await mesh({ participation: 'full' }), await mesh({ participation: 'routing' })]
    expect(await answer<Status>(await mesh(), 'status', 'status')).toMatchObject({ running: false })
    const { addresses } = await answer<Status>(one, 'status', 'status')
    const third = await mesh({ participation: 'routing', peers: addresses })
    await expect.poll(async () => (await answer<Status>(third, 'status', 'status')).peers, { timeout: 15_000 }).toBe(1)
    const { peers } = await answer<{ peers: Array<{ host?: string }> }>(third, 'peers', 'peers', { addresses: true })
    expect(peers.map(({ host }) => host)).toEqual(['127.0.0.1'])
    expect(JSON.stringify(await answer(third, 'peers', 'peers'))).not.toContain('127.0.0.1')
    const test = await answer<{ peers: Array<{ ok: boolean; roundTripMs: number; observed: string }> }>(third, 'test', 'test')
    expect(test.peers).toEqual([expect.objectContaining({ ok: true, observed: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string })])
    expect(test.peers[0]?.roundTripMs).toBeGreaterThan(0)
    expect(await answer(third, 'history', 'period', { periodMs: 3_600_000, buckets: 10 })).toMatchObject({ streams: 0, bytes: 0 })
    expect(await answer<Status>(other, 'optimize', 'status', { near: true })).toMatchObject({ participation: 'routing' })
    await expect(third.operate('history', { periodMs: 0, buckets: 1 })).rejects.toThrow('periodMs is a whole number')
    await expect(third.operate('status', { colour: 'red' })).rejects.toThrow('takes no colour')
    await expect(third.operate('sing', {})).rejects.toThrow('no operation sing')
  })

  it('let a running tunnel claim a name and give it up', { timeout: 30_000 }, async () => {
    const backend = await mesh()
    expect(await backend.operate('claim', { name: 'one.local' })).toEqual({ claimed: false, tunnels: [] })
    const { endpoints } = await backend.startTunnel(3000, { id: 'web' })
    const address = endpoints[0]?.address
    expect(await backend.operate('claim', { name: 'One.local' })).toEqual({ claimed: true, domain: 'one.local', tunnel: 'web', address })
    expect(await answer(backend, 'name', 'name', { name: 'one.local' })).toEqual({
      name: 'one.local',
      claimants: [address],
      own: { domain: 'one.local', tunnel: 'web', address },
    })
    expect(await answer(backend, 'resolve', 'resolved', { name: 'one.local' })).toMatchObject({
      address,
      warnings: [{ code: 'BEAM_WARN_NAME_UNVERIFIED' }],
    })
    expect(await backend.operate('unclaim', { name: 'one.local' })).toEqual({ released: true })
    expect(await backend.operate('unclaim', { name: 'one.local' })).toEqual({ released: false })
    expect(await answer(backend, 'names', 'names')).toEqual({ own: [], accepted: [{ name: 'one.local', address }] })
    expect(await backend.operate('forget', { name: 'one.local' })).toEqual({ forgotten: true })
    await expect(backend.operate('claim', { name: 'no such' })).rejects.toThrow('no domain')
    await backend.startTunnel(3001, { id: 'api' })
    await expect(backend.operate('claim', { name: 'two.local' })).rejects.toThrow('Several tunnels')
    expect(await backend.operate('claim', { name: 'two.local', tunnel: 'api' })).toMatchObject({ tunnel: 'api' })
  })

  it('show that p2p.routing and p2p.caching hold', { timeout: 30_000 }, async () => {
    const one = await mesh({ participation: 'full', relaying: 'disabled', caching: 'disabled' })
    const status = await answer<Status>(one, 'status', 'status')
    expect(status).toMatchObject({ participation: 'full', routing: 'disabled', caching: 'disabled' })
    expect(status.relayed).toBeUndefined()
    const service = await mesh({ participation: 'routing', peers: status.addresses })
    await service.startTunnel(3000, {})
    await expect.poll(async () => (await answer<Status>(service, 'status', 'status')).peers, { timeout: 15_000 }).toBe(1)
    const [peer] = (await answer<{ peers: Array<{ participation?: string }> }>(service, 'peers', 'peers')).peers
    // Who does not relay does not say that it does, so nobody asks it for a reservation.
    expect(peer?.participation ?? 'light').toBe('light')
    expect((await answer<Status>(one, 'status', 'status')).records).toBe(0)
  })
})
