import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { SamConnection } from '../../../../backends/i2p/sam/connection.ts'
import { openStream } from '../../../../backends/i2p/sam/open-stream.ts'
import { systemClock } from '../../../../core/index.ts'
import { greeting, HELLO_OK, ScriptedRouter } from '../scripted-router.ts'

const clock = systemClock

describe('a SAM port', () => {
  it('is greeted with a range that every i2pd takes', async () => {
    await using router = await ScriptedRouter.start(() => HELLO_OK)
    const connection = await SamConnection.open(router.at)
    expect(connection.version).toBe('3.1')
    expect(router.heard('')).toEqual(['HELLO VERSION MIN=3.1 MAX=3.3'])
    connection.close()
  })

  it.each<readonly [string, string | undefined, string]>([
    ['that speaks HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'it speaks something else'],
    ['that sends a line without end', 'A'.repeat(100_000), 'it speaks something else'],
    ['that refuses the version', 'HELLO REPLY RESULT=NOVERSION', 'another version of SAM'],
    ['that answers something else', 'STREAM STATUS RESULT=OK', 'something else than a greeting'],
    ['that says nothing', undefined, 'no answer within 0.3 s'],
  ])('%s is our side’s trouble, and says so', async (_what, answer, message) => {
    await using router = await ScriptedRouter.start(() => answer)
    await expect(SamConnection.open(router.at, { limitMs: 300 })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(message) as string,
      hint: expect.stringMatching(/./) as string,
    })
  })

  it('that hangs up is named with its place', async () => {
    await using router = await ScriptedRouter.start((_line, { socket }) => void socket.destroy())
    await expect(SamConnection.open(router.at)).rejects.toThrow(`127.0.0.1:${router.at.port} is no SAM port`)
  })

  it('that is not there tells how to switch SAM on', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    await expect(SamConnection.open({ host: '127.0.0.1', port })).rejects.toMatchObject({
      message: `No I2P router offers SAM on 127.0.0.1:${port}.`,
      hint: expect.stringContaining('[sam] enabled = true') as string,
    })
  })

  it('is left at once when the signal fires', async () => {
    await using router = await ScriptedRouter.start(() => undefined)
    const controller = new AbortController()
    const opening = SamConnection.open(router.at, { signal: controller.signal })
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 20)
    await expect(opening).rejects.toBe(reason)
  })
})

describe('a stream', () => {
  it('keeps the bytes that come in one piece with its status', async () => {
    await using router = await ScriptedRouter.start(greeting(() => 'STREAM STATUS RESULT=OK\nSSH-2.0-x'))
    const socket = await openStream(router.at, 'id', 'x.i2p', { clock })
    socket.resume()
    const [bytes] = (await new Promise((resolve) => socket.once('data', (chunk: Buffer) => resolve([chunk])))) as [Buffer]
    expect(bytes.toString()).toBe('SSH-2.0-x\n')
    socket.destroy()
  })

  it.each<readonly [string, string, string]>([
    ['CANT_REACH_PEER', 'unreachable', 'BEAM_ERR_NOT_FOUND'],
    ['INVALID_KEY', 'unreachable', 'BEAM_ERR_ADDRESS_INVALID'],
    ['TIMEOUT', 'unreachable', 'BEAM_ERR_PEER_UNREACHABLE'],
    ['INVALID_ID', 'unavailable', 'BEAM_ERR_BACKEND_UNAVAILABLE'],
    ['I2P_ERROR MESSAGE="Socket already in use"', 'unavailable', 'BEAM_ERR_BACKEND_UNAVAILABLE'],
  ])('that is refused with %s is %s', async (result, kind, code) => {
    await using router = await ScriptedRouter.start(greeting(() => `STREAM STATUS RESULT=${result}`))
    await expect(openStream(router.at, 'id', 'x.i2p', { clock })).rejects.toMatchObject({ kind, code })
  })

  it('whose router hangs up is our side’s trouble', async () => {
    await using router = await ScriptedRouter.start(greeting((_line, { socket }) => void socket.destroy()))
    await expect(openStream(router.at, 'id', 'x.i2p', { clock })).rejects.toMatchObject({ kind: 'unavailable' })
  })
})
