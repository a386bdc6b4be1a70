import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { parseBeamAddress, systemClock, type Clock } from '../../../core/index.ts'
import { Home, service } from '../../cli/daemon/home.ts'
import { testMesh, testPaths } from '../../helpers/mesh.ts'
import { testNetwork } from '../../helpers/mesh-network.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** Time as it is, or later. */
class LaterClock implements Clock {
  #laterMs = 0
  readonly after = systemClock.after
  readonly every = systemClock.every
  readonly now = (): number => systemClock.now() + this.#laterMs
  readonly monotonic = (): number => systemClock.monotonic() + this.#laterMs

  pass(ms: number): void {
    this.#laterMs += ms
  }
}

it(
  'a node that is killed is gone from its peers at once, from what is heard in two minutes, from records with their hour',
  {
    timeout: 120_000,
  },
  async () => {
    const clock = new LaterClock()
    const other = await testNetwork(open, { clock })

    using web = await service()
    const home = await Home.make()
    open.push(() => home[Symbol.asyncDispose]())
    const [at = ''] = other.addresses
    const killed = home.start(String(web.port), '--domain', 'web.local', '--p2p-routing', '--p2p-peers', at, '--json')
    open.push(() => killed[Symbol.asyncDispose]())
    const address = String((await killed.event('address'))['address'])
    const { serviceKey } = parseBeamAddress(address)
    const known = (): Record<string, unknown> => ({
      peers: other.node.peers.length,
      heard: other.heard().length,
      reservations: other.relayed?.reservations,
      claimedInGossip: other.records.claimants('web.local').length,
      claimedHere: other.registered.claimants('web.local').length,
      records: [other.records, other.registered].filter((records) => records.find(serviceKey) !== undefined).length,
    })
    // Nodes say every half a minute that they live.
    await expect
      .poll(known, { timeout: 60_000 })
      .toEqual({ peers: 1, heard: 1, reservations: 1, claimedInGossip: 1, claimedHere: 1, records: 2 })

    killed.child.kill('SIGKILL')
    await once(killed.child, 'close')
    await expect.poll(known).toEqual({ peers: 0, heard: 1, reservations: 0, claimedInGossip: 1, claimedHere: 1, records: 2 })
    clock.pass(121_000)
    expect(known()).toMatchObject({ heard: 0, claimedInGossip: 1, records: 2 })
    // An hour, and the five minutes that clocks may differ.
    clock.pass(3_600_000 + 300_000)
    expect(known()).toEqual({ peers: 0, heard: 0, reservations: 0, claimedInGossip: 0, claimedHere: 0, records: 0 })

    const visitorPaths = await testPaths()
    open.push(() => visitorPaths[Symbol.asyncDispose]())
    const visitor = await testMesh(visitorPaths, {}, { peers: [at] })
    open.push(() => visitor[Symbol.asyncDispose]())
    await expect(visitor.resolveDomain('web.local', {})).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
    await expect(visitor.dial(address)).rejects.toMatchObject({ code: 'BEAM_ERR_NOT_FOUND' })
  },
)
