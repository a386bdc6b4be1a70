import { createHmac } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { authenticate } from '../../../../backends/_shared/onion/control/authenticate.ts'
import { ControlClient } from '../../../../backends/_shared/onion/control/control-client.ts'
import { systemClock } from '../../../../core/index.ts'
import { FakeControlPort, JOINED, type Answers } from './fake-control-port.ts'

const undo: Array<() => unknown> = []
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

async function connected(answers?: Answers): Promise<{ client: ControlClient; fake: FakeControlPort }> {
  const fake = await FakeControlPort.listen(answers)
  undo.push(() => fake[Symbol.asyncDispose]())
  const client = await ControlClient.connect({ host: '127.0.0.1', port: fake.port }, { clock: systemClock })
  undo.push(() => client.close())
  return { client, fake }
}

const info = (methods: string, cookie = ''): string =>
  `250-PROTOCOLINFO 1\r\n250-AUTH METHODS=${methods}${cookie === '' ? '' : ` COOKIEFILE="${cookie}"`}\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n`

describe('a control connection', () => {
  it('gives replies to commands in their order, and events to listeners', async () => {
    const { client, fake } = await connected((line) => `650 HS_DESC UPLOADED x\r\n250-${line.slice(8)}=${line.length}\r\n250 OK\r\n`)
    const events: string[] = []
    const stop = client.onEvent(({ lines }) => events.push(lines[0].text))
    const values = await Promise.all(['a', 'bb', 'ccc'].map((key) => client.getInfo(key)))
    expect(values).toEqual(['9', '10', '11'])
    expect(events).toHaveLength(3)
    stop()
    fake.say('650 HS_DESC UPLOADED y\r\n')
    await client.getInfo('d')
    expect(events).toHaveLength(3)
  })

  it.each([
    ['510 Unrecognized command "X"', 510, 'too old'],
    ['510 Command filtered', 510, 'filter'],
    ['514 Authentication required.', 514, 'authentication'],
    ['515 Authentication failed: Password did not match', 515, 'password or cookie'],
    ['552 Unknown Onion Service id', 552, 'DEL_ONION: 552'],
  ])('says what a refusal means: %s', async (answer, replyCode, message) => {
    const { client } = await connected(() => `${answer}\r\n`)
    await expect(client.command('DEL_ONION x')).rejects.toMatchObject({
      kind: 'unavailable',
      replyCode,
      message: expect.stringContaining(message) as string,
    })
  })

  it('never shows what was sent', async () => {
    const { client } = await connected(() => '512 Bad\r\n')
    const failure = await client.command('ADD_ONION ED25519-V3:secretsecret Port=80').catch((error: unknown) => error as Error)
    expect(`${(failure as Error).message} ${(failure as Error).stack}`).not.toContain('secretsecret')
  })

  it('refuses a command that would be two', async () => {
    const { client, fake } = await connected()
    await expect(client.command('GETINFO a\r\nSIGNAL SHUTDOWN')).rejects.toMatchObject({ kind: 'internal' })
    expect(fake.lines).toEqual([])
  })

  it.each([
    ['garbage', 'hello\r\n'],
    ['an endless line', 'a'.repeat(200_000)],
    ['endless lines of one reply', '250-x\r\n'.repeat(200_000)],
  ])('ends when it is answered with %s', async (_, answer) => {
    const { client, fake } = await connected(() => answer)
    await expect(client.command('GETINFO a')).rejects.toMatchObject({ kind: 'protocol', code: 'BEAM_ERR_CONTROL_PORT' })
    await expect(client.command('GETINFO b')).rejects.toMatchObject({ kind: 'protocol' })
    await expect.poll(() => fake.connections).toBe(0)
  })

  it('ends when something is answered that nobody asked', async () => {
    const { client, fake } = await connected()
    fake.say('250 OK\r\n')
    expect(await client.closed).toMatchObject({ kind: 'protocol' })
  })

  it('ends when no answer comes', async () => {
    const fake = await FakeControlPort.listen(() => undefined)
    undo.push(() => fake[Symbol.asyncDispose]())
    const timers: Array<() => void> = []
    const clock = { ...systemClock, after: (_: number, fire: () => void) => (timers.push(fire), () => {}) }
    const client = await ControlClient.connect({ host: '127.0.0.1', port: fake.port }, { clock })
    const asked = [client.command('GETINFO a'), client.command('GETINFO b')]
    timers[1]?.()
    for (const result of await Promise.allSettled(asked)) expect(result).toMatchObject({ reason: { kind: 'timeout' } })
  })

  it('says so when it is cut', async () => {
    const { client, fake } = await connected(() => undefined)
    const asked = client.command('GETINFO a')
    await expect.poll(() => fake.lines.length).toBe(1)
    fake.cut()
    await expect(asked).rejects.toMatchObject({ kind: 'unavailable' })
    expect(await client.closed).toMatchObject({ kind: 'unavailable' })
  })

  it('is refused where nothing listens, and ends with its signal', async () => {
    const fake = await FakeControlPort.listen()
    const { port } = fake
    await fake[Symbol.asyncDispose]()
    await expect(ControlClient.connect({ host: '127.0.0.1', port }, { clock: systemClock })).rejects.toMatchObject({
      code: 'BEAM_ERR_CONTROL_PORT',
      message: expect.stringContaining('nothing listens') as string,
    })
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(ControlClient.connect({ host: '127.0.0.1', port }, { clock: systemClock, signal })).rejects.toBe(reason)
  })
})

describe('authentication', () => {
  async function cookieFile(bytes: Buffer): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'beam-cookie-'))
    undo.push(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'cookie'), bytes)
    return join(folder, 'cookie')
  }
  const cookie = Buffer.alloc(32, 5)
  const safeCookie = (path: string, known: Buffer): Answers => {
    let expected = ''
    return (line) => {
      const [word, second = '', third = ''] = line.split(' ')
      if (word === 'PROTOCOLINFO') return info('COOKIE,SAFECOOKIE', path)
      if (word === 'AUTHENTICATE') return second === expected ? '250 OK\r\n' : '515 Authentication failed\r\n'
      if (second !== 'SAFECOOKIE') return '510 no\r\n'
      const nonce = Buffer.alloc(32, 6)
      const message = Buffer.concat([known, Buffer.from(third, 'hex'), nonce])
      const hash = (key: string): string => createHmac('sha256', key).update(message).digest('hex')
      expected = hash('Tor safe cookie authentication controller-to-server hash')
      return `250 AUTHCHALLENGE SERVERHASH=${hash('Tor safe cookie authentication server-to-controller hash')} SERVERNONCE=${nonce.toString('hex')}\r\n`
    }
  }

  it('shows that it knows the cookie without showing the cookie', async () => {
    const { client, fake } = await connected(safeCookie(await cookieFile(cookie), cookie))
    expect(await authenticate(client)).toBe('0.4.9.11')
    expect(fake.lines.join()).not.toContain(cookie.toString('hex'))
  })

  it('stops where the daemon does not know its own cookie', async () => {
    const { client, fake } = await connected(safeCookie(await cookieFile(cookie), Buffer.alloc(32, 9)))
    await expect(authenticate(client)).rejects.toMatchObject({ kind: 'protocol' })
    expect(fake.lines.some((line) => line.startsWith('AUTHENTICATE'))).toBe(false)
  })

  it('takes nothing, a cookie or a password, as the daemon wants', async () => {
    const free = await connected((line) => JOINED[line] ?? '250 OK\r\n')
    await authenticate(free.client)
    expect(free.fake.lines).toEqual(['PROTOCOLINFO 1', 'AUTHENTICATE'])

    const path = await cookieFile(cookie)
    const plain = await connected((line) => (line.startsWith('PROTOCOLINFO') ? info('COOKIE', path) : '250 OK\r\n'))
    await authenticate(plain.client)
    expect(plain.fake.lines[1]).toBe(`AUTHENTICATE ${cookie.toString('hex')}`)

    const locked = await connected((line) => (line.startsWith('PROTOCOLINFO') ? info('HASHEDPASSWORD,SAFECOOKIE', path) : '250 OK\r\n'))
    await authenticate(locked.client, { password: 'a"b\\c' })
    expect(locked.fake.lines[1]).toBe('AUTHENTICATE "a\\"b\\\\c"')
  })

  it.each([
    ['a password that was not given', info('HASHEDPASSWORD'), 'wants a password'],
    ['a cookie that is not there', info('COOKIE', '/nonexistent/cookie'), 'is not there'],
    ['another file', info('COOKIE', import.meta.filename.replaceAll('\\', '\\\\')), 'no file of 32 bytes'],
    ['an unknown method', info('MAGIC'), 'MAGIC'],
  ])('says what is missing: %s', async (_, answer, message) => {
    const { client, fake } = await connected(() => answer)
    await expect(authenticate(client)).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining(message) as string })
    expect(fake.lines).toEqual(['PROTOCOLINFO 1'])
  })
})
