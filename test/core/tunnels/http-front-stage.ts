import { once } from 'node:events'
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
  type Server as HttpServer,
} from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach } from 'vitest'
import type { Visitor } from '../../../core/backend.ts'
import { HttpFront } from '../../../core/tunnels/http-front.ts'
import type { HttpOptions } from '../../../core/tunnels/http-headers.ts'
import { LocalService } from '../../../core/tunnels/local-service.ts'
import { silentLogger } from '../../../core/logger.ts'

/** What a test takes down at its end, last first. */
export const undo: Array<() => unknown> = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

export async function listening<S extends Server | HttpServer>(server: S): Promise<S> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  undo.push(() => server.close())
  if ('closeAllConnections' in server) undo.push(() => server.closeAllConnections())
  return server
}

export const portOf = (server: Server | HttpServer): number => (server.address() as AddressInfo).port

/** What the visitor and the service see of each other through the front. */
export interface Stage {
  /** Where visitors connect to. */
  readonly port: number
  readonly servicePort: number
  readonly front: HttpFront
  /** Connections that the service got. */
  readonly connections: Socket[]
}

/** A service behind a front. */
export async function stage(
  listener: RequestListener | HttpServer,
  options: HttpOptions = { hostHeader: 'rewrite' },
  visitor: Partial<Visitor> = {},
): Promise<Stage> {
  const service = await listening(typeof listener === 'function' ? createHttpServer(listener) : listener)
  const connections: Socket[] = []
  service.on('connection', (socket) => connections.push(socket))
  return { ...(await frontOf(portOf(service), options, visitor)), connections }
}

/** A front before a port, where there may be no service. */
export async function frontOf(
  servicePort: number,
  options: HttpOptions = { hostHeader: 'rewrite' },
  visitor: Partial<Visitor> = {},
): Promise<Omit<Stage, 'connections'>> {
  const target = { host: '127.0.0.1', port: servicePort }
  const local = new LocalService(target)
  const front = new HttpFront({ target, connect: () => local.open(), options, logger: silentLogger })
  const entrance = await listening(createServer({ allowHalfOpen: true }, (stream) => front.handle(stream, { backend: 'test', ...visitor })))
  undo.push(() => (front.close(), local.close()))
  return { port: portOf(entrance), servicePort, front }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly message: IncomingMessage
}

export async function ask(port: number, { body, ...options }: RequestOptions & { readonly body?: string } = {}): Promise<Reply> {
  const outgoing = httpRequest({ host: '127.0.0.1', port, agent: false, ...options })
  outgoing.end(body)
  const [message] = (await once(outgoing, 'response')) as [IncomingMessage]
  outgoing.on('error', () => {})
  let text = ''
  for await (const chunk of message) text += String(chunk)
  return { status: message.statusCode ?? 0, headers: message.headers, body: text, message }
}

/** Sends text and collects everything until the connection ends. */
export async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  undo.push(() => socket.destroy())
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

/** A service that tells what it got, and `seen` reads it. */
export const sees: RequestListener = (request, response) => response.end(JSON.stringify({ url: request.url, headers: request.headers }))
export const seen = (reply: Reply): { url: string; headers: Record<string, string> } => JSON.parse(reply.body) as never
