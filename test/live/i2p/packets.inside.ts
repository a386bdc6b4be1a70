import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { I2pScene, publish, visit } from './scene.ts'

/** Packets that left by the way out of the namespace since it was made. */
function sentOut(): number {
  const { stdout } = spawnSync('ip', ['-s', '-j', 'link', 'show', 'out0'])
  const [link] = JSON.parse(stdout.toString()) as ReadonlyArray<{ readonly stats64: { readonly tx: { readonly packets: number } } }>
  return link?.stats64.tx.packets ?? Number.NaN
}

it('nothing leaves the machine: neither by Beam, nor by routers that are told so', async () => {
  await using scene = new I2pScene()
  const [serving, visiting] = scene.ports
  const publisher = await scene.backend(serving)
  const visitor = await scene.backend(visiting)
  const { address } = await publish(publisher, await scene.echo())
  expect(await visit(visitor, address)).toBe('hello')
  expect(sentOut()).toBe(0)
  // And the count would show it: one packet to somewhere else.
  const socket = connect({ host: '198.51.100.1', port: 9 }).on('error', () => {})
  await expect.poll(sentOut).toBeGreaterThan(0)
  socket.destroy()
})
