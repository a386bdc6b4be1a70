import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { torPlugin } from '../../../backends/tor/index.ts'
import type { Dialler, NetworkBackend } from '../../../core/index.ts'
import { OnionNetwork, requireTor } from '../../helpers/onion-network/index.ts'
import { onionComponents } from './onion-components.ts'

const flavor = requireTor()

describe.runIf(flavor)('a look at an onion service of one’s own', () => {
  const home = mkdtempSync(join(tmpdir(), 'beam-onion-o-'))
  let network: OnionNetwork
  let backend: NetworkBackend & Dialler & AsyncDisposable
  beforeAll(async () => {
    network = await OnionNetwork.start(flavor!)
    backend = torPlugin.create(onionComponents(torPlugin, network, home)) as typeof backend
    await backend.initialize()
  })
  afterAll(async () => {
    for (const { child } of network.relays) child.kill('SIGCONT')
    await backend[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
    rmSync(home, { recursive: true, force: true, maxRetries: 3 })
  })

  it('is not taken twice at its start, and goes through the network later', async () => {
    const { endpoints } = await backend.startTunnel(9)
    const { address } = endpoints[0]!
    // With the network at a standstill, only what is known already can be told.
    for (const { child } of network.relays) child.kill('SIGSTOP')
    expect(await backend.reach(address)).toMatchObject({ kind: 'onion', latencyMs: expect.any(Number) as number })
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    const look = backend.reach(address, { isolation: 'later' })
    look.catch(() => {})
    const still = new Promise((resolve) => setTimeout(resolve, 2_000, 'still looking'))
    expect(await Promise.race([look, still])).toBe('still looking')
    for (const { child } of network.relays) child.kill('SIGCONT')
    await expect(look).resolves.toMatchObject({ kind: 'onion' })
  })
})
