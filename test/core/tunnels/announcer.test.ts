import { afterEach, describe, expect, it } from 'vitest'
import type { TunnelDescription } from '../../../core/powers.ts'
import { publishTunnel } from '../../../core/tunnels/publish.ts'
import type { PublishSetup, Tunnel } from '../../../core/tunnels/publish-setup.ts'
import { echoServer, handleOf, ManualClock, PuppetBackend } from './puppet-backend.ts'

const open: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A network that announces records. */
class Directory extends PuppetBackend {
  readonly told: TunnelDescription[] = []

  describeTunnel(_id: string, description: TunnelDescription): void {
    this.told.push(description)
  }

  get last(): TunnelDescription | undefined {
    return this.told.at(-1)
  }
}

async function publish(chain: PuppetBackend[], options: Partial<PublishSetup> = {}): Promise<{ tunnel: Tunnel; time: ManualClock }> {
  const echo = await echoServer()
  open.push(echo.close)
  const time = new ManualClock()
  const tunnel = await publishTunnel({
    target: { host: 'localhost', port: echo.port },
    chain: chain.map(handleOf),
    clock: time,
    ...options,
  })
  open.push(() => tunnel.stop())
  await time.pass(1_000)
  return { tunnel, time }
}

const addressOn = (tunnel: Tunnel, backend: string): string =>
  tunnel.snapshot().endpoints.find((endpoint) => endpoint.backend === backend)?.address ?? ''

describe('the record', () => {
  it('lists the addresses on the other networks, with their weights', async () => {
    const [mesh, tor] = [new Directory('mesh', { exposes: true }), new PuppetBackend('tor')]
    const { tunnel } = await publish([mesh, tor], { strategy: 'load-balance', allowExposure: true, weights: { mesh: 3, tor: 1 } })
    expect(mesh.last).toEqual({ endpoints: [{ address: addressOn(tunnel, 'tor'), weight: 1 }], weight: 3, capabilities: [] })
  })

  it('does not list an onion beside an IP address without consent, whatever the strategy', async () => {
    for (const strategy of ['priority', 'fallback'] as const) {
      const [mesh, tor] = [new Directory('mesh', { exposes: true }), new PuppetBackend('tor')]
      const { time } = await publish([mesh, tor], { strategy })
      mesh.say('down', 'gone')
      await time.pass(3_600_000)
      expect(mesh.told.flatMap(({ endpoints }) => endpoints)).toEqual([])
    }
    const [mesh, tor] = [new Directory('mesh', { exposes: true }), new PuppetBackend('tor')]
    await expect(publish([mesh, tor], { strategy: 'load-balance' })).rejects.toMatchObject({ code: 'BEAM_ERR_EXPOSURE' })
  })

  it('does not list an IP address in the directory of a hiding network without consent', async () => {
    const [hidden, mesh] = [new Directory('hidden'), new PuppetBackend('mesh', { exposes: true })]
    await publish([hidden, mesh], { strategy: 'fallback' })
    expect(hidden.told.flatMap(({ endpoints }) => endpoints)).toEqual([])
  })

  it('is not made at all where no network that announces carries the tunnel', async () => {
    const [mesh, tor] = [new Directory('mesh', { exposes: true }), new PuppetBackend('tor')]
    await publish([tor, mesh], { strategy: 'fallback' })
    expect(mesh.told).toEqual([])
    expect(mesh.starts).toBe(0)
  })

  it('follows what goes down and comes back, and is not touched when nothing changes', async () => {
    const [mesh, tor] = [new Directory('mesh', { exposes: true }), new PuppetBackend('tor')]
    const { tunnel, time } = await publish([mesh, tor], { strategy: 'load-balance', allowExposure: true })
    const address = addressOn(tunnel, 'tor')
    const count = mesh.told.length
    await time.pass(300_000)
    expect(mesh.told).toHaveLength(count)
    tor.say('down', 'gone')
    await time.pass(1_000)
    expect(mesh.last?.endpoints).toEqual([])
    tor.say('active', 'back')
    await time.pass(120_000)
    expect(mesh.last?.endpoints).toEqual([{ address, weight: 1 }])
  })

  it('is told again to a tunnel that was published anew', async () => {
    const [mesh, tor] = [new Directory('mesh', { exposes: true }), new PuppetBackend('tor')]
    const { time } = await publish([mesh, tor], { strategy: 'load-balance', allowExposure: true, name: 'web' })
    const count = mesh.told.length
    mesh.lost = true
    await time.pass(20_000)
    expect(mesh.starts).toBe(2)
    expect(mesh.told.length).toBeGreaterThan(count)
    expect(mesh.last?.endpoints).toHaveLength(1)
  })

  it('is changed by a migration once the new endpoint is up', async () => {
    const [mesh, tor, i2p] = [new Directory('mesh', { exposes: true }), new PuppetBackend('tor'), new PuppetBackend('i2p')]
    const { tunnel, time } = await publish([mesh, tor], { strategy: 'load-balance', allowExposure: true })
    const moved = tunnel.migrate({ from: 'tor', to: handleOf(i2p) })
    await time.pass(1_000)
    await moved
    expect(mesh.last?.endpoints).toEqual([{ address: addressOn(tunnel, 'i2p'), weight: 1 }])
    expect(tor.stops).toEqual([tunnel.id])
  })
})

it('refuses weights that are none, and those of networks that are not used', async () => {
  const tor = new PuppetBackend('tor')
  for (const weights of [{ tor: 0 }, { tor: 1.5 }, { tor: 1001 }, { i2p: 1 }]) {
    await expect(publish([tor], { weights })).rejects.toMatchObject({ code: 'BEAM_ERR_CONFIG' })
  }
})
