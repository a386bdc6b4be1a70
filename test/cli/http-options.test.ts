import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addressOf, Home } from './daemon/home.ts'

const open: Array<() => unknown> = []
let port: string
beforeEach(async () => {
  const server = createServer((request, response) =>
    response.end(`seen as ${request.headers.host}, ${String(request.headers['x-secret'] ?? 'nothing')}`),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  port = String((server.address() as AddressInfo).port)
  open.push(() => {
    server.close()
    server.closeAllConnections()
  })
})
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function visit(home: Home, address: string): Promise<Response> {
  await using visitor = home.start('connect', address, '--json')
  const local = (await visitor.event('listening'))['port']
  const answer = await fetch(`http://127.0.0.1:${String(local)}`, { headers: { 'x-secret': 'word' } })
  return new Response(await answer.text(), { headers: answer.headers })
}

describe('HTTP features on the command line', { timeout: 180_000 }, () => {
  it('hold for a tunnel of this process, and for one that the daemon carries', async () => {
    await using home = await Home.make()
    for (const daemon of [false, true]) {
      if (daemon) await home.startDaemon()
      await using publisher = home.start(port, '--host-header', 'app.test', '--json')
      const answer = await visit(home, addressOf(await publisher.event('ready')))
      expect(await answer.text()).toBe('seen as app.test, word')
    }
  })

  it('hold for what beam.config.yaml declares', async () => {
    await using home = await Home.make()
    const http = { hostHeader: 'rewrite', dropRequestHeaders: ['X-Secret'], responseHeaders: { 'Onion-Location': 'http://abc.onion/' } }
    await writeFile(join(home.path, 'beam.config.yaml'), JSON.stringify({ tunnels: [{ name: 'web', port: Number(port), http }] }))
    await using publisher = home.start('up', '--json')
    const answer = await visit(home, addressOf(await publisher.event('ready')))
    expect(await answer.text()).toBe(`seen as localhost:${port}, nothing`)
    expect(answer.headers.get('onion-location')).toBe('http://abc.onion/')
  })

  it('are refused when they are wrong', async () => {
    await using home = await Home.make()
    const { code, stderr } = await home.run(port, '--host-header', 'a b')
    expect(code).toBe(2)
    expect(stderr).toContain('is no host name')
  })
})
