import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { I2pBackend } from '../../../backends/i2p/index.ts'
import { silentLogger, systemClock } from '../../../core/index.ts'
import { recordsOf } from '../../helpers/i2p-network/network.ts'
import { PRIVATE_OPTIONS, writeRecords } from '../../helpers/i2p-network/router.ts'
import { newHome, testConfig } from './home.ts'
import { I2pScene, publish, visit } from './scene.ts'

const alive = (pid: unknown): boolean => spawnSync('/bin/kill', ['-0', String(pid)]).status === 0

it('a private router publishes, comes back when it is killed, is warm the next time, and is gone with Beam', async () => {
  await using scene = new I2pScene()
  await using home = await newHome()
  const visitor = await scene.backend(scene.ports[1])
  const port = await scene.echo()
  // What a router that ran before would have: it does not ask the Internet for addresses.
  writeRecords(join(home.paths.data, 'i2p', 'router-0'), recordsOf(inject('i2p')))
  const address4 = '198.18.77.29'
  const router_options = { ...PRIVATE_OPTIONS, address4, host: address4, port: '27999' }
  const make = (): I2pBackend =>
    new I2pBackend({ config: testConfig(undefined, { router_options }), paths: home.paths, logger: silentLogger, clock: systemClock })
  const routerOf = async (backend: I2pBackend): Promise<Record<string, unknown>> =>
    (await backend.operate('status'))['router'] as Record<string, unknown>

  const backend = make()
  scene.defer(() => backend[Symbol.asyncDispose]())
  const said: string[] = []
  await backend.initialize({ onProgress: ({ message }) => said.push(message) })
  expect(said[0]).toContain('Starting a private I2P router (i2pd 2.')
  const tunnel = await publish(backend, port, { name: 'web' })
  expect(await visit(visitor, tunnel.address)).toBe('hello')

  const { pid, version } = await routerOf(backend)
  expect(version).toMatch(/^2\./)
  expect(alive(pid)).toBe(true)
  process.kill(Number(pid), 'SIGKILL')
  await expect.poll(() => tunnel.states().at(-1), { timeout: 20_000 }).toBe('down')
  await expect.poll(() => tunnel.states().at(-1), { timeout: 150_000 }).toBe('active')
  const second = await routerOf(backend)
  expect(second).toMatchObject({ mode: 'private', restarts: 1 })
  expect(second['pid']).not.toBe(pid)

  const startedAt = Date.now()
  await backend[Symbol.asyncDispose]()
  expect(Date.now() - startedAt).toBeLessThan(5_000)
  expect(alive(second['pid'])).toBe(false)

  // A second process of Beam at the same time would get a folder of its own; the next one gets this folder again.
  const next = make()
  scene.defer(() => next[Symbol.asyncDispose]())
  await next.initialize()
  const again = await publish(next, port, { name: 'web' })
  expect(again.address).toBe(tunnel.address)
  const third = await routerOf(next)
  await next[Symbol.asyncDispose]()
  expect(alive(third['pid'])).toBe(false)
}, 300_000)
