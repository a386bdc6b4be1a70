import { ServerResponse, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { join, resetStream } from '../streams/index.ts'
import { pairs, type RawHeaders } from './http-headers.ts'

/** A request that wants to change the protocol of its connection (RFC 9110 section 7.8): WebSocket. */
export interface Upgrade {
  readonly request: IncomingMessage
  /** The visitor's connection, which no parser reads any more. */
  readonly stream: Duplex
  /** What the visitor sent behind the request. */
  readonly head: Buffer
  /** The same request to the service; undefined when it cannot be passed on. */
  readonly outgoing: ClientRequest | undefined
  /** Carries an ordinary answer of a service that will not switch. */
  readonly onAnswer: (answer: IncomingMessage, response: ServerResponse) => void
  /** The headers of the service's answer as the visitor sees them. */
  readonly headers: (raw: RawHeaders) => string[]
}

/** Asks the service, and joins the two connections when it agrees; else the visitor gets its answer, and the connection ends with it. */
export function carryUpgrade({ request, stream, head, outgoing, onAnswer, headers }: Upgrade): void {
  const respond = (): ServerResponse => {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    // What it needs of a socket every stream has.
    response.assignSocket(stream as Socket)
    response.once('finish', () => stream.end())
    return response
  }
  if (outgoing === undefined) return void respond().writeHead(501, { 'content-type': 'text/plain; charset=utf-8' }).end('Not supported.\n')
  stream.once('close', () => outgoing.destroy())
  outgoing.on('upgrade', (answer, socket, first) => {
    if (stream.destroyed) return resetStream(socket, new Error('the visitor left'))
    stream.write(headOf(answer, headers(answer.rawHeaders)), 'latin1')
    if (first.length > 0) socket.unshift(first)
    if (head.length > 0) stream.unshift(head)
    void join(socket, stream)
  })
  outgoing.on('response', (answer) => onAnswer(answer, respond()))
  outgoing.on('error', (error) => resetStream(stream, error))
  outgoing.end()
}

function headOf({ statusCode = 101, statusMessage = '' }: IncomingMessage, headers: RawHeaders): string {
  const lines = pairs(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`
}
