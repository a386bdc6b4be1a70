import { afterEach, expect, it } from 'vitest'
import { echoServer } from '../../core/tunnels/puppet-backend.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'

const open: Array<() => PromiseLike<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

it('finds what the publisher says of its other addresses, and nothing of a key that nobody holds', async () => {
  const paths = await testPaths()
  open.push(() => paths[Symbol.asyncDispose]())
  const [publisher, visitor] = [await testMesh(paths), await testMesh(paths)]
  for (const backend of [publisher, visitor]) open.push(() => backend[Symbol.asyncDispose]())
  const echo = await echoServer()
  open.push(echo.close)
  const { id, endpoints } = await publisher.startTunnel(echo.port, { host: '127.0.0.1' })
  const address = endpoints[0]?.address ?? ''
  const onion = `http://${'a'.repeat(56)}.onion`
  publisher.describeTunnel(id, { endpoints: [{ address: onion, weight: 3 }], weight: 1, capabilities: ['multipath'] })
  const signal = AbortSignal.timeout(15_000)
  await expect.poll(async () => (await visitor.findRecord(address, { signal }))?.endpoints, { timeout: 10_000 }).toContain(onion)
  const record = await visitor.findRecord(address, { signal })
  expect(record?.metadata.capabilities).toEqual(['multipath'])
  expect(record?.weights?.[record.endpoints.indexOf(onion)]).toBe(3)

  await publisher.stopTunnel(id)
  expect(await visitor.findRecord(address, { signal: AbortSignal.timeout(1_500) })).toBeUndefined()
})
