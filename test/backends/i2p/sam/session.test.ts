import { describe, expect, it } from 'vitest'
import { toI2pBase64 } from '../../../../backends/i2p/base64.ts'
import { Forward } from '../../../../backends/i2p/sam/forward.ts'
import { SamSession } from '../../../../backends/i2p/sam/session.ts'
import { systemClock } from '../../../../core/index.ts'
import { randomPrivateKey } from '../keys-for-tests.ts'
import { greeting, ScriptedRouter, type Script } from '../scripted-router.ts'

const clock = systemClock
const key = toI2pBase64(randomPrivateKey())

async function scene(script: Script): Promise<{ router: ScriptedRouter; session: SamSession } & AsyncDisposable> {
  const router = await ScriptedRouter.start(greeting(script))
  const session = await SamSession.open({ at: router.at, key, options: new Map([['inbound.length', '0']]), clock })
  const dispose = async (): Promise<void> => {
    session.close()
    await router[Symbol.asyncDispose]()
  }
  return { router, session, [Symbol.asyncDispose]: dispose }
}

const isCreate = (line: string): boolean => line.startsWith('SESSION CREATE')

describe('a session', () => {
  it('is there before the router says that it is ready', async () => {
    await using it = await scene(() => undefined)
    expect(it.session.alive).toBe(true)
    expect(it.session.isReady).toBe(false)
  })

  it('is ready when the router says so, and stale when that came at once', async () => {
    await using it = await scene((line) => (isCreate(line) ? `SESSION STATUS RESULT=OK DESTINATION=${key}` : undefined))
    await it.session.ready
    expect(it.session.stale).toBe(true)
    expect(it.router.heard('SESSION')[0]).toMatch(/^SESSION CREATE STYLE=STREAM ID=beam-[0-9a-f]{16} DESTINATION=.* inbound\.length=0$/)
  })

  it('answers PING, and says nothing else on its connection', async () => {
    await using it = await scene((line, { socket }) => {
      if (isCreate(line)) setTimeout(() => socket.write('PING 42 x\n'), 10)
      return undefined
    })
    await expect.poll(() => it.router.heard('PONG')).toEqual(['PONG 42 x'])
    expect(it.router.conversations[0]?.lines).toHaveLength(3)
  })

  it.each<readonly [string, string, string]>([
    ['INVALID_KEY', 'config', 'does not take the private key'],
    ['DUPLICATED_DEST', 'unavailable', 'publishes with the same keys'],
    ['DUPLICATED_ID', 'unavailable', 'refused'],
    ['I2P_ERROR MESSAGE="Unknown STYLE"', 'unavailable', 'Unknown STYLE'],
  ])('that is refused with %s tells why, without the key', async (result, kind, message) => {
    await using it = await scene((line) => (isCreate(line) ? `SESSION STATUS RESULT=${result}` : undefined))
    const reason = await it.session.closed
    expect(reason).toMatchObject({ kind, message: expect.stringContaining(message) as string })
    expect(`${reason.message}${String((reason as Error).cause)}`).not.toContain(key.slice(0, 40))
    await expect(it.session.ready).rejects.toBe(reason)
  })

  it.each<readonly [string, string]>([
    ['garbage', '\u0001\u0002 garbage'],
    ['an endless line', 'A'.repeat(70_000)],
  ])('that gets %s is given up', async (_what, text) => {
    await using it = await scene((line) => (isCreate(line) ? text : undefined))
    await expect(it.session.closed).resolves.toMatchObject({ message: 'The I2P router broke the rules of SAM.' })
  })

  it('that the router drops tells so', async () => {
    await using it = await scene(() => undefined)
    it.router.drop()
    await expect(it.session.closed).resolves.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('ended the session') as string,
    })
  })
})

describe('forwarding', () => {
  const signal = new AbortController().signal

  it('is asked for again while the router does not know the session yet', async () => {
    let asked = 0
    await using it = await scene((line) =>
      line.startsWith('STREAM FORWARD') ? `STREAM STATUS RESULT=${++asked < 3 ? 'INVALID_ID' : 'OK'}` : undefined,
    )
    const forward = await Forward.open(it.router.at, it.session, 4321, { clock, signal })
    expect(it.router.heard('STREAM')).toHaveLength(3)
    expect(it.router.heard('STREAM')[0]).toBe(`STREAM FORWARD ID=${it.session.id} PORT=4321 SILENT=false`)
    it.router.drop()
    await forward.closed
  })

  it.each(['PORT is missing', 'Already accepting'])('that is refused on behalf of the session (“%s”) is refused', async (message) => {
    await using it = await scene((line) => (line.startsWith('STREAM') ? `SESSION STATUS RESULT=I2P_ERROR MESSAGE="${message}"` : undefined))
    await expect(Forward.open(it.router.at, it.session, 1, { clock, signal })).rejects.toThrow(message)
  })

  it('ends with the session that the router refused', async () => {
    await using it = await scene((line) => (isCreate(line) ? 'SESSION STATUS RESULT=INVALID_KEY' : 'STREAM STATUS RESULT=INVALID_ID'))
    await expect(Forward.open(it.router.at, it.session, 1, { clock, signal })).rejects.toMatchObject({ kind: 'config' })
  })

  it('can be broken off while it waits', async () => {
    await using it = await scene((line) => (line.startsWith('STREAM') ? 'STREAM STATUS RESULT=INVALID_ID' : undefined))
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 50)
    await expect(Forward.open(it.router.at, it.session, 1, { clock, signal: controller.signal })).rejects.toBe(reason)
  })
})
