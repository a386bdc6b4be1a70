import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDiscovery, parseDiscoveryOptions, type DiscoveryOptions } from '../../../../backends/mesh/discovery/index.ts'
import { startDhtTestnet } from '../../../helpers/dht-testnet.ts'
import { all, announcementOf, soon, until } from './announcement.ts'
import { udpHandles } from './open-handles.ts'

let runtimeFolder: string
beforeEach(async () => {
  runtimeFolder = await mkdtemp(join(tmpdir(), 'beam-discovery-'))
})
afterEach(() => rm(runtimeFolder, { recursive: true, force: true }))

const options = (bootstrap: DiscoveryOptions['bootstrap'], mdns: DiscoveryOptions['mdns']): DiscoveryOptions => ({
  bootstrap,
  mdns,
  portmap: false,
})

describe('createDiscovery', () => {
  it('opens no socket when DHT and mDNS are switched off, and still finds what runs on this machine', async () => {
    const before = udpHandles()
    const { discovery, close } = createDiscovery(parseDiscoveryOptions({ BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off' }), {
      runtimeFolder,
    })
    const announcement = announcementOf({ domain: 'here.local', onStream: () => {} })
    const announced = discovery.announce(announcement)
    await until(() => announced.state === 'announced')
    expect((await all(discovery.find(announcement.serviceKey, soon()))).map(({ source }) => source)).toEqual(['registry'])
    expect(await all(discovery.claimants('here.local', soon()))).toHaveLength(1)
    expect(udpHandles()).toBe(before)
    expect(discovery.sources().map(({ name, state }) => `${name} ${state}`)).toEqual(['registry ready', 'mdns off', 'dht off'])
    await close()
    await close()
  })

  it('is ready without the network: the registry holds it while the DHT is still being looked for', async () => {
    const { discovery, close } = createDiscovery(options(['127.0.0.1:9'], 'off'), { runtimeFolder })
    const announced = discovery.announce(announcementOf())
    await until(() => announced.state === 'announced')
    expect(discovery.sources().at(-1)).toEqual({ name: 'dht', state: 'starting' })
    await close()
  })

  it('finds one service by all sources, and leaves nothing open', { timeout: 40_000 }, async () => {
    const testnet = await startDhtTestnet(6)
    const before = udpHandles()
    const [publisher, visitor] = [0, 1].map(() => createDiscovery(options(testnet.bootstrap, 'loopback'), { runtimeFolder }))
    const announcement = announcementOf({ domain: 'everywhere.local', onStream: (stream) => stream.destroy() })
    publisher?.discovery.announce(announcement)
    await until(() => publisher?.discovery.sources().every(({ state }) => state === 'ready') === true)
    await expect
      .poll(async () => new Set((await all(visitor!.discovery.find(announcement.serviceKey, soon()))).map(({ source }) => source)), {
        timeout: 15_000,
      })
      .toEqual(new Set(['registry', 'mdns', 'dht']))
    expect(await all(visitor!.discovery.claimants('everywhere.local', soon()))).toHaveLength(1)
    await Promise.all([publisher?.close(), visitor?.close()])
    await until(() => udpHandles() === before)
    await testnet.close()
  })
})
