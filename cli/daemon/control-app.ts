import { createServer } from 'node:http'
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import { type BeamError, ConfigError, InternalError, UnreachableError, UnsupportedError, isBeamError } from '../../core/errors.ts'
import type { ControlHost } from './host.ts'
import { LineStream } from './line-stream.ts'
import { toProblem } from './problem.ts'
import { tunnelOf } from './journal.ts'
import {
  LINES,
  MAX_BODY_BYTES,
  MAX_HISTORY,
  type MigrateRequest,
  type OperationData,
  type ProcessTunnels,
  type PublishRequest,
} from './protocol.ts'
import { faultOf, validator, type Definition } from './validate.ts'

/** What a stream of events begins with when nothing else is asked for. */
const DEFAULT_HISTORY = 0

const schema = (body: Definition): { $id: Definition } => ({ $id: body })

/** The control API of a process. Every request and every answer is checked against schemas/control/. */
export async function controlApp(host: ControlHost): Promise<FastifyInstance> {
  // It never listens: cli/daemon/control-server.ts does, and hands the requests over.
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, logger: false, serverFactory: (handler) => createServer(handler) })
  app.setValidatorCompiler(({ schema }) => checkOf((schema as { $id: Definition }).$id))
  app.setErrorHandler((error, _request, reply) => fail(reply, error))
  app.setNotFoundHandler((request, reply) =>
    fail(
      reply,
      new UnsupportedError(`The control API has no ${request.method} ${request.url.slice(0, 100)}.`, {
        code: 'BEAM_ERR_CONTROL',
        hint: 'The two processes may be of different versions of Beam: restart the daemon (beam daemon stop, beam daemon start).',
      }),
      404,
    ),
  )
  addRoutes(app, host)
  await app.ready()
  return app
}

function addRoutes(app: FastifyInstance, host: ControlHost): void {
  const { carrier } = host
  app.get('/v1/info', (_request, reply) => answer(reply, 'answers#/$defs/process', host.info))
  app.get('/v1/tunnels', (_request, reply) => answer(reply, 'answers#/$defs/tunnels', tunnelsOf(host)))
  app.get<{ Params: { id: string } }>('/v1/tunnels/:id', { schema: { params: schema('requests#/$defs/tunnelId') } }, (request, reply) => {
    const tunnel = carrier.get(request.params.id)
    if (tunnel === undefined) throw unknownTunnel(request.params.id)
    return answer(reply, 'answers#/$defs/tunnel', tunnel.record())
  })
  app.delete<{ Params: { id: string }; Querystring: { reason?: string } }>(
    '/v1/tunnels/:id',
    { schema: { params: schema('requests#/$defs/tunnelId'), querystring: schema('requests#/$defs/stopQuery') } },
    async ({ params: { id }, query: { reason = 'stopped by beam stop' } }, reply) => {
      if (!(await host.stop(id, reason))) throw unknownTunnel(id)
      return answer(reply, 'answers#/$defs/stopped', { stopped: id })
    },
  )
  app.post<{ Body: PublishRequest }>('/v1/tunnels', { schema: { body: schema('requests#/$defs/publish') } }, (request, reply) => {
    if (host.publish === undefined) throw new UnsupportedError('This process publishes nothing for others; the daemon does.')
    void carry(host.publish.bind(host), request.body, reply)
  })
  app.post<{ Params: { name: string; operation: string }; Body: OperationData }>(
    '/v1/backends/:name/operations/:operation',
    { schema: { params: schema('requests#/$defs/operationParams'), body: schema('requests#/$defs/operation') } },
    async ({ params: { name, operation }, body }, reply) => {
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort(new Error('who asked is gone')))
      return answer(reply, 'answers#/$defs/operation', { answers: await host.operate(name, operation, body, gone.signal) })
    },
  )
  app.post<{ Params: { id: string }; Body: MigrateRequest }>(
    '/v1/tunnels/:id/migrate',
    { schema: { params: schema('requests#/$defs/tunnelId'), body: schema('requests#/$defs/migrate') } },
    ({ params: { id }, body }, reply) => {
      if (carrier.get(id) === undefined) throw unknownTunnel(id)
      void move(host, id, body, reply)
    },
  )
  app.get<{ Querystring: EventsQuery }>(
    '/v1/events',
    { schema: { querystring: schema('requests#/$defs/eventsQuery') } },
    (request, reply) => follow(host, request.query, reply),
  )
  app.post('/v1/shutdown', async (_request, reply) => {
    if (host.shutdown === undefined) throw new UnsupportedError('This process is a command; end its tunnels, and it ends too.')
    reply.raw.once('close', () => host.shutdown?.())
    return answer(reply, 'answers#/$defs/stopping', { pid: host.info.pid })
  })
}

function tunnelsOf({ info, carrier, connections }: ControlHost): ProcessTunnels {
  return { process: info, tunnels: carrier.records(), ...(connections === undefined ? {} : { connections: connections() }) }
}

/** Publishes for a command: the connection is the life line of a tunnel that is not kept. */
async function carry(publish: NonNullable<ControlHost['publish']>, request: PublishRequest, reply: FastifyReply): Promise<void> {
  const lines = openLines(reply)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort(new Error('the command that asked for it is gone')))
  try {
    const tunnel = await publish(request, (event) => write(lines, 'answers#/$defs/publishLine', event), gone.signal)
    const onGone = (): void => void tunnel.stop('the command that published it is gone')
    if (gone.signal.aborted) onGone()
    else gone.signal.addEventListener('abort', onGone, { once: true })
    lines.end({ end: await tunnel.ended })
  } catch (error) {
    lines.end({ failure: toProblem(error) })
  }
}

/** Moves a tunnel for a command: the connection is the life line of the attempt. */
async function move(host: ControlHost, id: string, request: MigrateRequest, reply: FastifyReply): Promise<void> {
  const lines = openLines(reply)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort(new Error('the command that asked for it is gone')))
  const unlisten = host.carrier.journal.listen(({ event }) => {
    if (tunnelOf(event) === id) write(lines, 'answers#/$defs/migrateLine', event)
  })
  try {
    if (!(await host.migrate(id, request, gone.signal))) throw unknownTunnel(id)
    lines.end({ migrated: id, from: request.from, to: request.to })
  } catch (error) {
    lines.end({ failure: toProblem(error) })
  } finally {
    unlisten()
  }
}

/** What follows of a stream of events. */
interface EventsQuery {
  readonly tunnel?: string
  readonly history?: string
  readonly follow?: 'true' | 'false'
}

function follow({ carrier: { journal } }: ControlHost, query: EventsQuery, reply: FastifyReply): void {
  const { tunnel, history = String(DEFAULT_HISTORY), follow = 'true' } = query
  const lines = openLines(reply)
  for (const entry of journal.last(Math.min(Number(history), MAX_HISTORY), tunnel)) write(lines, 'answers#/$defs/logLine', entry)
  if (follow === 'false') return lines.end()
  const stop = journal.listen((entry) => {
    if (tunnel === undefined || tunnelOf(entry.event) === tunnel) write(lines, 'answers#/$defs/logLine', entry)
  })
  reply.raw.once('close', stop)
}

function openLines(reply: FastifyReply): LineStream {
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': LINES, 'cache-control': 'no-store' })
  reply.raw.flushHeaders()
  return new LineStream(reply.raw)
}

/** An event that is not what its schema says (a plugin made it) is left out rather than passed on. */
function write(lines: LineStream, definition: Definition, value: unknown): void {
  if (faultOf(definition, value) === undefined) lines.write(value)
}

function answer(reply: FastifyReply, definition: Definition, value: unknown, status = 200): FastifyReply {
  const fault = faultOf(definition, value)
  if (fault !== undefined) throw new InternalError(`The answer is not what its schema says: ${fault}.`)
  return reply.code(status).header('content-type', 'application/json').serializer(JSON.stringify).send(value)
}

function fail(reply: FastifyReply, error: unknown, status = statusOf(error)): FastifyReply {
  const shown = isBeamError(error) || status >= 500 ? error : badRequest(error)
  return answer(reply, 'answers#/$defs/error', { error: toProblem(shown) }, status)
}

function statusOf(error: unknown): number {
  if (isBeamError(error)) return { config: 400, unsupported: 405, unreachable: 404 }[error.kind as string] ?? 503
  const { statusCode = 500 } = error as { statusCode?: number }
  return statusCode
}

/** What fastify itself refuses: a body too large, no JSON, another media type. */
function badRequest(error: unknown): BeamError {
  return new ConfigError(`The request was refused: ${(error as Error).message}`, { code: 'BEAM_ERR_CONTROL' })
}

function checkOf(definition: Definition): (value: unknown) => { value: unknown } | { error: Error } {
  validator(definition)
  return (value) => {
    const fault = faultOf(definition, value)
    return fault === undefined
      ? { value }
      : { error: new ConfigError(`The request is not what its schema says: ${fault}.`, { code: 'BEAM_ERR_CONTROL' }) }
  }
}

function unknownTunnel(id: string): UnreachableError {
  return new UnreachableError(`There is no tunnel ${JSON.stringify(id.slice(0, 63))} here.`, {
    code: 'BEAM_ERR_TUNNEL_UNKNOWN',
    retry: 'never',
  })
}
