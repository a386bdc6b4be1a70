import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import type { I2pBackend } from '../../../backends/i2p/index.ts'
import { systemClock, type Clock } from '../../../core/index.ts'
import { addClient, I2pNetwork } from '../../helpers/i2p-network/network.ts'
import { I2pScene, publish, visit } from './scene.ts'

let scene: I2pScene
let visitor: I2pBackend
let port: number
beforeAll(async () => {
  scene = new I2pScene()
  visitor = await scene.backend(scene.ports[1])
  port = await scene.echo()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** The machine’s clock, whose time of day can jump as after a sleep. */
function sleepyClock(): Clock & { sleep(ms: number): void } {
  let slept = 0
  return { ...systemClock, now: () => systemClock.now() + slept, sleep: (ms) => void (slept += ms) }
}

describe.concurrent('a fault', () => {
  it('a router that is killed and comes back: the tunnel comes back with its address, by itself', async ({ expect }) => {
    const router = addClient(inject('i2p'), 4)
    scene.defer(() => router.kill())
    router.start()
    await router.listening()
    const backend = await scene.backend(router.place.samPort)
    const tunnel = await publish(backend, port)
    expect(await visit(visitor, tunnel.address)).toBe('hello')
    await router.kill()
    await expect.poll(() => tunnel.states().at(-1), { timeout: 20_000 }).toBe('down')
    await expect(backend.dial(tunnel.address)).rejects.toMatchObject({ kind: 'unavailable' })
    router.start()
    await router.listening()
    await expect.poll(() => tunnel.states().at(-1), { timeout: 120_000 }).toBe('active')
    // The visitor’s router keeps the lease set of before for a while; a new visitor asks anew.
    const fresh = await scene.backend(scene.ports[1])
    expect(await visit(fresh, tunnel.address)).toBe('hello')
    expect((await backend.getStatus()).tunnels[0]?.endpoints[0]?.address).toBe(tunnel.address)
  })

  it('a sleep of the machine: the tunnel is looked at, and usable afterwards', async ({ expect }) => {
    const clock = sleepyClock()
    const backend = await scene.backend(scene.ports[0], {}, clock)
    const tunnel = await publish(backend, port)
    clock.sleep(3_600_000)
    await expect.poll(() => tunnel.states(), { timeout: 20_000 }).toEqual(['active', 'announcing'])
    await expect.poll(() => tunnel.states().at(-1), { timeout: 100_000 }).toBe('active')
    expect(await visit(visitor, tunnel.address)).toBe('hello')
  })

  it('a lease set that the floodfills have lost: the tunnel is told to be down, with the reason', async ({ expect }) => {
    const view = inject('i2p')
    const network = new I2pNetwork(`${view.folder}/second`, 10)
    scene.defer(() => network[Symbol.asyncDispose]())
    await network.start()
    const clock = sleepyClock()
    const backend = await scene.backend(network.routers[0]?.place.samPort, {}, clock)
    const tunnel = await publish(backend, port)
    for (const floodfill of network.routers.slice(2)) await floodfill.kill()
    clock.sleep(3_600_000)
    await expect.poll(() => tunnel.states().at(-1), { timeout: 150_000 }).toBe('down')
    expect(tunnel.events.at(-1)).toMatchObject({ reason: expect.stringContaining('lease set may be lost') as string })
  }, 200_000)

  it('no router at the configured port', async ({ expect }) => {
    const router = addClient(inject('i2p'), 5)
    await expect(scene.backend(router.place.samPort)).rejects.toMatchObject({
      kind: 'unavailable',
      message: `No I2P router offers SAM on 127.0.0.1:${router.place.samPort}.`,
    })
  })
})
