import { createServer, type AddressInfo, type Server } from 'node:net'
import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import { LocalService } from '../../../core/tunnels/local-service.ts'

const servers: Server[] = []
const services: LocalService[] = []
afterEach(async () => {
  for (const service of services.splice(0)) service.close()
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

async function echo(host: string, port = 0): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
  servers.push(server)
  server.listen(port, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function service(port: number, host = 'localhost'): LocalService {
  const made = new LocalService({ host, port })
  services.push(made)
  return made
}

async function visit(through: LocalService, text: string): Promise<string> {
  const [visitor, arriving] = duplexPair()
  through.handle(arriving, { backend: 'memory' })
  visitor.end(text)
  const chunks: Buffer[] = []
  for await (const chunk of visitor) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

it.each(['127.0.0.1', '::1'])('reaches a service that listens on %s only, as localhost', async (host) => {
  const local = service(await echo(host))
  expect(await local.probe()).toBe('up')
  expect(await visit(local, 'hello')).toBe('hello')
})

it('resets the visitor and knows that the service is down when nothing listens', async () => {
  const port = await echo('127.0.0.1')
  await new Promise((resolve) => servers.pop()?.close(resolve))
  const local = service(port)
  const changes: string[] = []
  local.watch((state) => changes.push(state))
  const [, arriving] = duplexPair()
  local.handle(arriving, { backend: 'memory' })
  const [error] = (await once(arriving, 'error')) as [Error]
  expect(error).toMatchObject({ code: 'BEAM_ERR_SERVICE_DOWN' })
  expect(changes).toEqual(['down'])
  expect(local.state).toBe('down')
})

it('notices by itself that the service came', async () => {
  const port = await echo('127.0.0.1')
  await new Promise((resolve) => servers.pop()?.close(resolve))
  const local = service(port)
  expect(await local.probe()).toBe('down')
  const up = new Promise<string>((resolve) => local.watch((state) => resolve(state)))
  await echo('127.0.0.1', port)
  expect(await up).toBe('up')
})

it('looks for a service without breaking its connection off', async () => {
  const port = await echo('127.0.0.1')
  const ended = new Promise<string>((resolve) =>
    servers[0]?.once('connection', (socket) => socket.once('end', () => resolve('end')).once('error', () => resolve('reset'))),
  )
  expect(await service(port).probe()).toBe('up')
  expect(await ended).toBe('end')
})

it('closes the connections to the service when it is closed', async () => {
  const local = service(await echo('127.0.0.1'))
  const [visitor, arriving] = duplexPair()
  visitor.on('error', () => {})
  local.handle(arriving, { backend: 'memory' })
  visitor.write('x')
  await once(visitor, 'data')
  const closed = new Promise((resolve) => arriving.once('close', resolve))
  local.close()
  await closed
})

it.each([0, 65_536, 1.5, Number.NaN, -1])('refuses the port %s', (port) => {
  expect(() => service(port)).toThrowError(expect.objectContaining({ code: 'BEAM_ERR_PORT_INVALID' }))
})
