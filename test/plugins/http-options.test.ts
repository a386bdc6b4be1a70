import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { BeamPaths } from '../../core/index.ts'
import { MemoryNetwork } from '../../core/testing/memory-network.ts'
import { createBeam, type Beam, type BeamOptions } from '../../plugins/index.ts'
import { memoryPlugin, temporaryPaths } from './memory-plugin.ts'

const open: Array<() => PromiseLike<unknown>> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

let paths: BeamPaths & AsyncDisposable
let port: number
beforeEach(async () => {
  paths = await temporaryPaths()
  open.push(() => paths[Symbol.asyncDispose]())
  port = await devServer()
})

/** An application that answers, also on WebSocket, only under the names that it knows: as development servers do. */
async function devServer(): Promise<number> {
  const server = createServer((request, response) => {
    const known = request.headers.host === `localhost:${portOf()}`
    response.writeHead(known ? 200 : 403).end(known ? `${request.url} ${String(request.headers['x-kept'] ?? '')}` : 'Invalid Host header')
  })
  const portOf = (): number => (server.address() as AddressInfo).port
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (request.headers.host !== `localhost:${portOf()}` || request.headers.origin !== `http://localhost:${portOf()}`)
      return socket.destroy()
    sockets.handleUpgrade(request, socket, head, (client) => client.on('message', (data) => client.send(data)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  open.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return portOf()
}

async function instance(options: BeamOptions): Promise<Beam> {
  const beam = await createBeam({ paths, env: {}, ...options })
  open.push(() => beam[Symbol.asyncDispose]())
  return beam
}

describe.each(['memory', 'mesh'])('HTTP features on %s', (name) => {
  const network = new MemoryNetwork()
  const config = name === 'mesh' ? { listen: { host: '127.0.0.1', port: 0 }, bootstrap: [], mdns: 'off', portmap: 'off' } : {}
  const options = (): BeamOptions => ({
    config: { backends: [{ name, config }] },
    ...(name === 'memory' ? { plugins: [memoryPlugin({ network })] } : {}),
  })

  async function visit(http: object | undefined): Promise<number> {
    const tunnel = await (await instance(options())).publish(port, http === undefined ? {} : { http })
    const address = tunnel.snapshot().endpoints[0]?.address ?? ''
    return (await (await instance(options())).connect(address)).port
  }

  it('let an application that checks Host and Origin answer', async () => {
    const refused = await visit(undefined)
    expect(await (await fetch(`http://127.0.0.1:${refused}/`)).text()).toBe('Invalid Host header')
    const local = await visit({ hostHeader: 'rewrite', responseHeaders: { 'Onion-Location': 'http://abc.onion/' } })
    const answer = await fetch(`http://127.0.0.1:${local}/path`, { headers: { 'x-kept': 'yes' } })
    expect(await answer.text()).toBe('/path yes')
    expect(answer.headers.get('onion-location')).toBe('http://abc.onion/')
    const client = new WebSocket(`ws://127.0.0.1:${local}/live`, { origin: `http://127.0.0.1:${local}` })
    await once(client, 'open')
    client.send('hello')
    expect(String(((await once(client, 'message')) as [Buffer])[0])).toBe('hello')
    client.close()
    await once(client, 'close')
  })
})

describe('HTTP features', () => {
  it('are refused where they are wrong, or where there is no local port', async () => {
    const beam = await instance({ config: { backends: [{ name: 'memory' }] }, plugins: [memoryPlugin({ network: new MemoryNetwork() })] })
    await expect(beam.publish(port, { http: { hostHeader: 'a b' } })).rejects.toMatchObject({ kind: 'config' })
    await expect(beam.publish(port, { http: { hostHeader: 'rewrite' }, onStream: () => {} })).rejects.toMatchObject({ kind: 'config' })
  })
})
