import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { socksConnect, type SocksResult } from '../../../../backends/_shared/onion/socks/socks-client.ts'
import { SOCKS, socksError } from '../../../../backends/_shared/onion/socks/socks-error.ts'
import { connectRequest, parseMethod, parsePasswordStatus, parseReply } from '../../../../backends/_shared/onion/socks/socks-message.ts'
import { systemClock } from '../../../../core/index.ts'

const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

/** A proxy that answers as it is told. */
async function dial(serve: (socket: Socket) => void, signal?: AbortSignal): Promise<SocksResult> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    serve(socket)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return socksConnect({
    proxy: { host: '127.0.0.1', port },
    host: 'x.onion',
    port: 80,
    user: { user: 'u', password: 'p' },
    clock: systemClock,
    ...(signal === undefined ? {} : { signal }),
  })
}

/** A proxy of real behaviour whose answer to the request is given. */
const proxy =
  (answer: Uint8Array, told?: (request: Buffer) => void) =>
  async (socket: Socket): Promise<void> => {
    await once(socket, 'data')
    socket.write(Uint8Array.of(5, 2))
    await once(socket, 'data')
    socket.write(Uint8Array.of(1, 0))
    const [request] = (await once(socket, 'data')) as [Buffer]
    told?.(request)
    socket.write(answer)
  }
const reply = (code: number): Buffer => Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0)

describe('a dial through SOCKS', () => {
  it('asks by name and loses no byte that comes with the answer', async () => {
    let asked: Uint8Array = new Uint8Array()
    const result = await dial(proxy(Buffer.concat([reply(0), Buffer.from('first words')]), (request) => (asked = request)))
    expect(Buffer.from(asked)).toEqual(connectRequest('x.onion', 80))
    if (!('socket' in result)) throw new Error('refused')
    const [chunk] = (await once(result.socket, 'data')) as [Buffer]
    expect(chunk.toString()).toBe('first words')
    result.socket.destroy()
  })

  it('tells the code of a refusal', async () => {
    expect(await dial(proxy(reply(0xf0)))).toEqual({ code: 0xf0 })
  })

  it.each([
    ['a control port', (socket: Socket) => socket.write('514 Authentication required.\r\n'), 'control port'],
    ['a web server', (socket: Socket) => socket.write('HTTP/1.0 400 Bad Request\r\n\r\n'), 'no SOCKS'],
    ['a proxy that offers nothing', (socket: Socket) => socket.write(Uint8Array.of(5, 255)), 'no SOCKS'],
    ['one that hangs up', (socket: Socket) => socket.end(), 'closed the connection'],
  ])('is refused by %s', async (_, serve, message) => {
    await expect(dial((socket) => void socket.once('data', () => serve(socket)))).rejects.toMatchObject({
      code: 'BEAM_ERR_CONTROL_PORT',
      message: expect.stringContaining(message) as string,
    })
  })

  it('ends with its signal', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const dialling = dial(() => controller.abort(reason), controller.signal)
    await expect(dialling).rejects.toBe(reason)
  })
})

describe('messages of SOCKS', () => {
  it('are values, missing bytes or nonsense, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const parse of [parseMethod, parsePasswordStatus, parseReply]) {
          const parsed = parse(bytes)
          if (typeof parsed === 'object') expect(parsed.bytes).toBeLessThanOrEqual(bytes.length)
          else expect(['more', 'invalid']).toContain(parsed)
        }
      }),
    )
  })

  it('that are incomplete never become values', () => {
    const whole = reply(0)
    for (let length = 0; length < whole.length; length++) expect(parseReply(whole.subarray(0, length))).toBe('more')
    expect(parseReply(whole)).toEqual({ value: 0, bytes: 10 })
  })
})

describe('a refusal', () => {
  const error = (code: number, networkUp = true): ReturnType<typeof socksError> =>
    socksError(code, { flavour: { title: 'Tor', suffix: 'onion' }, address: { port: 81 }, networkUp })

  it.each([
    [SOCKS.descriptorNotFound, 'unreachable', 'BEAM_ERR_NOT_FOUND', 'later'],
    [SOCKS.descriptorInvalid, 'unreachable', 'BEAM_ERR_PEER_UNREACHABLE', 'later'],
    [SOCKS.introductionFailed, 'unreachable', 'BEAM_ERR_PEER_UNREACHABLE', 'later'],
    [SOCKS.introductionTimedOut, 'unreachable', 'BEAM_ERR_PEER_UNREACHABLE', 'now'],
    [SOCKS.rendezvousFailed, 'unreachable', 'BEAM_ERR_PEER_UNREACHABLE', 'now'],
    [SOCKS.authorizationMissing, 'unreachable', 'BEAM_ERR_ACCESS_DENIED', 'never'],
    [SOCKS.authorizationWrong, 'unreachable', 'BEAM_ERR_ACCESS_DENIED', 'never'],
    [SOCKS.addressInvalid, 'unreachable', 'BEAM_ERR_ADDRESS_INVALID', 'never'],
    [SOCKS.refused, 'unreachable', 'BEAM_ERR_PEER_UNREACHABLE', 'later'],
    [SOCKS.notAllowed, 'unavailable', 'BEAM_ERR_BACKEND_UNAVAILABLE', 'never'],
  ])('%i says whose side it is, and whether to try again', (code, kind, name, retry) => {
    expect(error(code)).toMatchObject({ kind, code: name, retry })
  })

  it('is ours while the network is down', () => {
    for (const code of [SOCKS.failure, SOCKS.hostUnreachable, SOCKS.expired, SOCKS.descriptorNotFound]) {
      expect(error(code, false)).toMatchObject({ kind: 'unavailable', code: 'BEAM_ERR_BOOTSTRAP' })
    }
  })

  it('has a sentence for every code', () => {
    for (let code = 1; code < 256; code++) expect(error(code).message).toMatch(/^\S.*\.$/)
  })
})
