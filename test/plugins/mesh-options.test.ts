import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { createBeam } from '../../plugins/index.ts'

const homes: string[] = []
afterEach(() => Promise.all(homes.splice(0).map((home) => rm(home, { recursive: true, force: true }))))

/** What the mesh says of its sources under an environment. */
async function meshMessage(env: Record<string, string>): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'beam-'))
  homes.push(home)
  await using beam = await createBeam({ env: { BEAM_HOME: home, ...env } })
  await using _tunnel = await beam.publish(9, { backends: ['mesh'] })
  const mesh = (await beam.backends()).find(({ name }) => name === 'mesh')
  return mesh?.status?.message ?? ''
}

it('takes the environment that the instance was given, not the one of the process', async () => {
  expect(process.env['BEAM_P2P_MDNS']).toBe('off')
  const off = await meshMessage({ BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off' })
  expect(off).toMatch(/mdns: off/)
  expect(off).toMatch(/dht: off/)
  const loopback = await meshMessage({ BEAM_P2P_BOOTSTRAP: '127.0.0.1:9', BEAM_P2P_MDNS: 'loopback' })
  expect(loopback).not.toMatch(/mdns: off|dht: off/)
})

it('says which variable is wrong', async () => {
  await expect(meshMessage({ BEAM_P2P_BOOTSTRAP: 'nowhere', BEAM_P2P_MDNS: 'off' })).rejects.toMatchObject({
    kind: 'config',
    message: expect.stringContaining('BEAM_P2P_BOOTSTRAP'),
  })
})
