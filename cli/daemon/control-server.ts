import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { BeamPaths } from '../../core/paths.ts'
import type { ControlHost } from './host.ts'
import { toProblem } from './problem.ts'
import { MAX_CLIENTS } from './protocol.ts'
import { listenPrivately } from './sockets.ts'

/** How long a client may take to send a request, in milliseconds: it is on the same machine. */
const REQUEST_TIMEOUT_MS = 10_000
/** How long an idle connection is kept, in milliseconds: our own client opens one for each request. */
const IDLE_TIMEOUT_MS = 5_000
/** Largest head of a request, in bytes: paths and two or three headers. */
const MAX_HEAD_BYTES = 8 * 1024

/**
 * Serves the control API of this process under a name in the runtime folder. Cheap until somebody asks: the framework and the schemas are
 * loaded by the first request.
 */
export async function serveControl(host: ControlHost, paths: Pick<BeamPaths, 'runtime'>, name: string): Promise<AsyncDisposable> {
  type Handler = (request: IncomingMessage, response: ServerResponse) => void
  let loading: Promise<Handler> | undefined
  const load = async (): Promise<Handler> => {
    const { controlApp } = await import('./control-app.ts')
    const { server } = await controlApp(host)
    return (request, response) => void server.emit('request', request, response)
  }
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      maxHeaderSize: MAX_HEAD_BYTES,
    },
    (request, response) => {
      loading ??= load()
      loading.then(
        (handle) => handle(request, response),
        (error: unknown) =>
          response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: toProblem(error) })),
      )
    },
  )
  server.maxConnections = MAX_CLIENTS
  const removeName = await listenPrivately(server, paths, name)
  return {
    async [Symbol.asyncDispose]() {
      removeName()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // Streams of events are told their end first; whoever does not read it is cut off.
      server.closeIdleConnections()
      const cut = setTimeout(() => server.closeAllConnections(), 500)
      await closed
      clearTimeout(cut)
    },
  }
}
