import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { silentLogger } from '../../../core/logger.ts'
import { Arrivals } from '../../../core/tunnels/arrivals.ts'
import { LocalService } from '../../../core/tunnels/local-service.ts'
import { MemoryBackend } from '../../../core/testing/memory-backend.ts'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const capabilities = { ...new MemoryBackend().getCapabilities(), opensUnheard: true }

async function http(): Promise<number> {
  const server: Server = createServer((request, response) => response.end(`${request.method} ${request.url}`))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  open.push(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A visitor's socket, and its far end as a relay of a network has it. */
async function visit(): Promise<[Socket, Socket]> {
  const server = createTcpServer({ allowHalfOpen: true, noDelay: true })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  const [far] = (await once(server, 'connection')) as [Socket]
  open.push(
    () => server.close(),
    () => near.destroy(),
    () => far.destroy(),
  )
  return [near, far]
}

const REQUEST = 'GET /there HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

describe('what arrives on a network that opens streams unheard', () => {
  it.each([
    ['as it is', undefined],
    ['by way of the HTTP features', { responseHeaders: { 'x-seen': 'yes' } }],
  ] as const)('reaches the service %s, whether the visitor speaks at once or later', async (_how, options) => {
    const service = new LocalService({ host: '127.0.0.1', port: await http() }, { http: options })
    open.push(() => service.close())
    const arrivals = new Arrivals({ handler: service.handle, joins: false, clock: systemClock, logger: silentLogger })
    for (const when of ['before', 'after'] as const) {
      const [near, far] = await visit()
      if (when === 'before') {
        near.write(REQUEST)
        await once(far, 'readable')
      }
      arrivals.on(capabilities)(far, { backend: 'net' })
      if (when === 'after') {
        await new Promise((resolve) => setTimeout(resolve, 50))
        near.write(REQUEST)
      }
      expect(await text(near)).toContain('GET /there')
    }
  })

  it.each([0, 50])('reaches a program that listens for data %i ms later', async (afterMs) => {
    const arrivals = new Arrivals({
      handler: (stream) => setTimeout(() => stream.on('data', (chunk: Buffer) => stream.end(`heard ${chunk.toString()}`)), afterMs),
      joins: false,
      clock: systemClock,
      logger: silentLogger,
    })
    const [near, far] = await visit()
    near.write('hello')
    await once(far, 'readable')
    arrivals.on(capabilities)(far, { backend: 'net' })
    expect(await text(near)).toBe('heard hello')
  })
})
