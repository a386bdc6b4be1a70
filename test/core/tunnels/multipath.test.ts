import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { openMultipath, WindowBudget } from '../../../core/streams/multipath/index.ts'
import { faulty, type Faulty } from '../../../core/testing/fault-injection.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import type { Tunnel } from '../../../core/tunnels/publish-setup.ts'
import { echoServer, handleOf, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function published(): Promise<{ backends: Faulty<PuppetBackend>[]; tunnel: Tunnel; addressOn: (backend: string) => string }> {
  const echo = await echoServer()
  open.push(echo.close)
  const backends = ['first', 'second'].map((name) => faulty(new PuppetBackend(name)))
  // One of them would connect to the service by itself, and then nobody could put a connection together.
  ;(backends[1] as Faulty<PuppetBackend>).capabilities = { deliversDirectly: true }
  const tunnel = await publishTunnel({
    target: { host: 'localhost', port: echo.port },
    chain: backends.map(handleOf),
    strategy: 'multipath',
  })
  open.push(() => tunnel.stop())
  const addressOn = (backend: string): string =>
    tunnel.snapshot().endpoints.find((endpoint) => endpoint.backend === backend && endpoint.state === 'active')?.address ?? ''
  await expect.poll(() => addressOn('second')).not.toBe('')
  return { backends, tunnel, addressOn }
}

describe('a tunnel with the strategy multipath', () => {
  it('carries one connection over all its networks, and loses nothing when one of them dies', async () => {
    const { backends, addressOn } = await published()
    const routes = backends.map((backend) => ({ label: backend.name, dial: () => backend.dial(addressOn(backend.name)) }))
    const stream = await openMultipath({ routes, clock: systemClock, budget: new WindowBudget() })
    const sent = randomBytes(2 * 1024 * 1024)
    const got: Buffer[] = []
    let bytes = 0
    stream.on('data', (chunk: Buffer) => {
      got.push(chunk)
      bytes += chunk.length
      if (bytes > sent.length / 4) backends[0]?.faults.set({ down: true })
    })
    stream.end(sent)
    await once(stream, 'end')
    expect(Buffer.concat(got).equals(sent)).toBe(true)
  })

  it('serves plain visitors on each of them as ever', async () => {
    const { backends, addressOn } = await published()
    for (const backend of backends) {
      const stream = await backend.dial(addressOn(backend.name))
      stream.end('plain')
      const [data] = (await once(stream, 'data')) as [Buffer]
      expect(data.toString()).toBe('plain')
    }
  })
})
