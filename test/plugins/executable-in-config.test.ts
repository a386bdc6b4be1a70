import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { createBeam, type Beam, type PublishEvent } from '../../plugins/index.ts'
import { echoServer } from '../core/tunnels/puppet-backend.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'

const executable = fileURLToPath(new URL('executable/unruly.mjs', import.meta.url))
const open: Array<() => PromiseLike<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function beamWith(command: string[]): Promise<Beam> {
  const paths = await temporaryPaths()
  open.push(() => paths[Symbol.asyncDispose]())
  const backends = [
    { name: 'unruly', command, priority: 1 },
    { name: 'memory', priority: 2 },
  ]
  const beam = await createBeam({ config: { backends }, plugins: [memoryPlugin()], paths, env: {} })
  open.push(() => beam[Symbol.asyncDispose]())
  return beam
}

it('an executable that the configuration names carries a tunnel; what it can do is known once it runs', async () => {
  const beam = await beamWith([process.execPath, executable])
  const listed = async () => (await beam.backends()).find(({ name }) => name === 'unruly')
  expect(await listed()).toMatchObject({ source: 'executable' })
  expect(await listed()).not.toHaveProperty('capabilities')
  const echo = await echoServer()
  open.push(echo.close)
  const tunnel = await beam.publish(echo.port)
  const [endpoint] = tunnel.snapshot().endpoints
  expect(endpoint?.backend).toBe('unruly')
  expect(await listed()).toMatchObject({ capabilities: { delivery: 'stream' }, status: { state: 'running' } })
  const stream = await beam.openStream(endpoint?.address ?? '')
  stream.end('through another process')
  expect(await text(stream)).toBe('through another process')
})

it('one that is missing is told by name, and the next backend carries the tunnel', async () => {
  const beam = await beamWith(['./no-such-executable'])
  const echo = await echoServer()
  open.push(echo.close)
  const events: PublishEvent[] = []
  const tunnel = await beam.publish(echo.port, { onEvent: (event) => events.push(event) })
  expect(tunnel.snapshot().endpoints[0]?.backend).toBe('memory')
  expect(events[0]).toMatchObject({ event: 'warning', backend: 'unruly', message: expect.stringContaining('no-such-executable') as string })
})
