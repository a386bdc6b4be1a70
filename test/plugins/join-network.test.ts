import { afterEach, expect, it } from 'vitest'
import { createBeam, type PublishEvent } from '../../plugins/index.ts'
import { echoServer } from '../core/tunnels/puppet-backend.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'

const open: Array<() => PromiseLike<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

type Warning = Extract<PublishEvent, { event: 'warning' }>

async function published(env: Record<string, string>, join = ['mesh']) {
  const [paths, echo] = [await temporaryPaths(), await echoServer()]
  open.push(() => paths[Symbol.asyncDispose](), echo.close)
  const local = { BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off', BEAM_P2P_HOST: '127.0.0.1' }
  const beam = await createBeam({ config: { backends: [{ name: 'memory' }] }, plugins: [memoryPlugin()], paths, env: { ...local, ...env } })
  open.push(() => beam[Symbol.asyncDispose]())
  const warnings: Warning[] = []
  const onEvent = (event: PublishEvent): void => void (event.event === 'warning' && warnings.push(event))
  const tunnel = await beam.publish(echo.port, { domain: 'hidden.local', join, onEvent })
  return { beam, tunnel, warnings }
}

it('a node of the mesh joins beside a tunnel of another network, under its own key, and never hears of the tunnel', async () => {
  const { beam, tunnel, warnings } = await published({ BEAM_P2P_PARTICIPATION: 'routing' })
  await expect.poll(() => warnings.map(({ code }) => code), { timeout: 10_000 }).toEqual(['BEAM_WARN_JOINED'])
  const { id, participation, records } = await beam.operate('mesh', 'status')
  expect(participation).toBe('routing')
  expect(warnings[0]).toMatchObject({ backend: 'mesh', message: expect.stringContaining(String(id)) as string })
  expect(warnings[0]?.message).toContain('not announced there')
  expect(tunnel.snapshot().endpoints.map(({ backend }) => backend)).toEqual(['memory'])
  expect(records).toBe(0)
  expect(await beam.operate('mesh', 'names')).toEqual({ own: [], accepted: [] })
  expect(await beam.operate('mesh', 'name', { name: 'hidden.local' })).toEqual({ name: 'hidden.local', claimants: [] })
})

it('a network that cannot be joined costs the tunnel nothing', async () => {
  const { tunnel, warnings } = await published({}, ['nym'])
  await expect
    .poll(() => warnings.map(({ code, backend }) => [code, backend]), { timeout: 10_000 })
    .toEqual([['BEAM_WARN_NOT_JOINED', 'nym']])
  expect(tunnel.snapshot().endpoints).toHaveLength(1)
})

it('a network that carries the tunnel is not joined a second time', async () => {
  const { warnings } = await published({}, ['memory'])
  expect(warnings).toEqual([])
})
