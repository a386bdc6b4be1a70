import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { patternChunks, patternDigest, readExactly } from '../bytes.ts'
import type { Case } from '../case.ts'
import { deferred } from '../deferred.ts'
import { acceptValue, encodeFrame, FrameReader } from '../websocket.ts'
import { HttpVisitor } from '../http-visitor.ts'
import type { TestService } from '../service.ts'
import type { Stage } from '../stage.ts'

/** Size of a body of unknown length. */
const BODY_BYTES = 512 * 1024
/** How long one event or frame may take, in milliseconds on loopback. */
const STEP_LIMIT_MS = 5_000
/** Requests of the binary protocol that are sent before the first answer is read. */
const PIPELINED = 50

/** Protocols over TCP that people put through tunnels. */
export const compatibility: readonly Case[] = [
  {
    id: 'http-keep-alive',
    async run(stage) {
      const server = createServer((request, response) => response.end(`you asked for ${request.url}`))
      const { service, http } = await visit(stage, server)
      for (const path of ['/one', '/two', '/three']) {
        const { status, body } = await stage.within(http.request({ path }), STEP_LIMIT_MS, 'The response')
        assert.deepEqual([status, body.toString()], [200, `you asked for ${path}`])
      }
      assert.equal(service.connections, 1, 'the connection was not kept')
      http.close()
    },
  },
  {
    id: 'http-chunked',
    limitMs: 30_000,
    async run(stage) {
      const server = createServer((request, response) => {
        response.on('error', () => {})
        response.statusCode = request.headers['transfer-encoding'] === 'chunked' ? 200 : 411
        request.pipe(response)
      })
      const { http } = await visit(stage, server)
      const { status, headers, body } = await http.request({ method: 'POST', path: '/', body: patternChunks(BODY_BYTES) })
      assert.deepEqual([status, headers['transfer-encoding'], body.length], [200, 'chunked', BODY_BYTES])
      assert.equal(sha256(body), patternDigest(BODY_BYTES), 'the body was changed')
      http.close()
    },
  },
  {
    id: 'websocket',
    async run(stage) {
      const server = createServer().on('upgrade', (request: IncomingMessage, socket: Duplex) => {
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${acceptValue(request.headers['sec-websocket-key'] ?? '')}\r\n\r\n`,
        )
        const reader = new FrameReader()
        socket.on('error', () => {})
        socket.on('data', (data: Buffer) => {
          for (const payload of framesIn(reader, data, socket)) socket.write(encodeFrame(payload))
        })
        socket.on('end', () => socket.end())
      })
      const { http } = await visit(stage, server)
      const { socket, accept, key } = await stage.within(http.upgrade('/chat'), STEP_LIMIT_MS, 'The upgrade')
      assert.equal(accept, acceptValue(key), 'the handshake was changed')
      const frames = deferred<Buffer[]>()
      const sent = [Buffer.from('hello'), randomBytes(60_000), Buffer.alloc(0), randomBytes(125)]
      const got: Buffer[] = []
      const reader = new FrameReader()
      socket.on('data', (data: Buffer) => {
        got.push(...framesIn(reader, data, socket))
        if (got.length >= sent.length) frames.resolve(got)
      })
      for (const payload of sent) socket.write(encodeFrame(payload, randomBytes(4)))
      const answers = await stage.within(frames.promise, STEP_LIMIT_MS, 'The frames')
      assert.ok(
        sent.every((payload, index) => payload.equals(answers[index] ?? Buffer.from('missing'))),
        'a frame was changed',
      )
      socket.destroy()
    },
  },
  {
    id: 'server-sent-events',
    async run(stage) {
      // The next event is sent only when the one before has arrived: whoever holds events back waits for ever.
      let send: (event: string) => void = () => {}
      let finish: () => void = () => {}
      const server = createServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        send = (event) => response.write(`data: ${event}\n\n`)
        finish = () => response.end()
        send('event 0')
      })
      const { http } = await visit(stage, server)
      const response = await stage.within(http.open({ path: '/events' }), STEP_LIMIT_MS, 'The first event')
      for (let index = 0; index < 5; index += 1) {
        const expected = `data: event ${index}\n\n`
        const event = await stage.within(readExactly(response, expected.length), STEP_LIMIT_MS, `Event ${index}`)
        assert.equal(event.toString(), expected)
        if (index < 4) send(`event ${index + 1}`)
      }
      finish()
      http.close()
    },
  },
  {
    id: 'binary-protocol',
    async run(stage) {
      // Requests: a length, a number, bytes of all values. Responses: the same with the bytes reversed, in order.
      const { address } = await stage.tunnel(async (socket) => {
        for (let count = 0; count < PIPELINED; count += 1) {
          const header = await readExactly(socket, 8)
          const payload = await readExactly(socket, header.readUInt32BE())
          socket.write(Buffer.concat([header, payload.toReversed()]))
        }
        socket.end()
      })
      const stream = await stage.dial(address)
      const payloads = Array.from({ length: PIPELINED }, (_, index) =>
        Buffer.from(Array.from({ length: 1 + index * 256 }, (__, at) => (at + index) & 0xff)),
      )
      for (const [index, payload] of payloads.entries()) {
        const header = Buffer.alloc(8)
        header.writeUInt32BE(payload.length)
        header.writeUInt32BE(index, 4)
        stream.write(Buffer.concat([header, payload]))
      }
      for (const [index, payload] of payloads.entries()) {
        const header = await stage.within(readExactly(stream, 8), STEP_LIMIT_MS, `Response ${index}`)
        assert.deepEqual([header.readUInt32BE(), header.readUInt32BE(4)], [payload.length, index])
        const answer = await readExactly(stream, payload.length)
        assert.ok(answer.equals(payload.toReversed()), `response ${index} was changed`)
      }
    },
  },
]

async function visit(stage: Stage, server: Server): Promise<{ readonly service: TestService; readonly http: HttpVisitor }> {
  const service = await stage.serve(server)
  const { address } = await stage.tunnel(service)
  return { service, http: new HttpVisitor(() => stage.dial(address)) }
}

/** The frames that are complete now; damaged ones end the connection. */
function framesIn(reader: FrameReader, data: Buffer, socket: Duplex): readonly Buffer[] {
  try {
    return reader.push(data)
  } catch (error) {
    socket.destroy(error as Error)
    return []
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
