import { afterEach, expect, it } from 'vitest'
import {
  generateIdentity,
  MAX_RECORD_BYTES,
  publishTunnel,
  type PublishSetup,
  type ServiceRecord,
  type Tunnel,
} from '../../../core/index.ts'
import { echoServer, handleOf, PuppetBackend } from '../../core/tunnels/puppet-backend.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'

const open: Array<() => PromiseLike<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function published(
  options: Partial<PublishSetup> & { readonly others?: readonly PuppetBackend[] } = {},
): Promise<{ tunnel: Tunnel; beamAddress: string; record: () => Promise<ServiceRecord | undefined> }> {
  const { others = [new PuppetBackend('tor')], ...setup } = options
  const echo = await echoServer()
  open.push(echo.close)
  const paths = await testPaths()
  open.push(() => paths[Symbol.asyncDispose]())
  const [publisher, visitor] = [await testMesh(paths), await testMesh(paths)]
  for (const mesh of [publisher, visitor]) open.push(() => mesh[Symbol.asyncDispose]())
  const tunnel = await publishTunnel({
    target: { host: 'localhost', port: echo.port },
    chain: [handleOf(publisher), ...others.map(handleOf)],
    identity: generateIdentity(),
    ...setup,
  })
  open.push(() => tunnel.stop())
  const addressOn = (backend: string): string => tunnel.snapshot().endpoints.find((one) => one.backend === backend)?.address ?? ''
  const record = (): Promise<ServiceRecord | undefined> => visitor.findRecord(addressOn('mesh'), { signal: AbortSignal.timeout(5_000) })
  return { tunnel, beamAddress: addressOn('mesh'), record }
}

it('lists the other networks, their weights, and that connections may go over several', async () => {
  const { tunnel, record, beamAddress } = await published({ strategy: 'multipath', allowExposure: true, weights: { mesh: 2, tor: 5 } })
  const onion = (): string => tunnel.snapshot().endpoints.find(({ backend }) => backend === 'tor')?.address ?? ''
  await expect.poll(async () => (await record())?.endpoints.at(-1)).toBe(onion())
  const found = await record()
  // A listener on loopback is of no use to others, so the mesh's own weight stands beside its address.
  expect(found?.endpoints).toEqual([beamAddress, onion()])
  expect(found?.weights).toEqual([2, 5])
  expect(found?.metadata.capabilities).toEqual(['multipath'])
})

it('lists nothing of other networks without consent', async () => {
  const { record } = await published({ strategy: 'fallback' })
  expect((await record())?.endpoints).toEqual([])
  expect(await record()).not.toHaveProperty('weights')
})

it('follows the endpoints as they go and come', async () => {
  const tor = new PuppetBackend('tor')
  const { record } = await published({ strategy: 'load-balance', allowExposure: true, others: [tor] })
  await expect.poll(async () => (await record())?.endpoints.length).toBe(1)
  const before = (await record())?.sequence ?? 0
  tor.say('down', 'gone')
  await expect.poll(async () => (await record())?.endpoints.length).toBe(0)
  expect((await record())?.sequence).toBeGreaterThan(before)
})

it('stays small enough however many networks there are', async () => {
  const others = Array.from({ length: 20 }, (_, index) => new PuppetBackend(`network-${index}`))
  const { record } = await published({ strategy: 'load-balance', allowExposure: true, others })
  await expect.poll(async () => (await record())?.endpoints.length ?? 0).toBeGreaterThan(5)
  expect(JSON.stringify((await record())?.endpoints).length).toBeLessThan(MAX_RECORD_BYTES)
})
