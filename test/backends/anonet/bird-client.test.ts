import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BirdClient } from '../../../backends/anonet/bird/client.ts'
import { getInterface, setInterface } from '../../../backends/anonet/wireguard/uapi-client.ts'
import { systemClock, type Clock } from '../../../core/index.ts'

let folder: string
let server: Server | undefined
const sockets = new Set<Socket>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-b-'))
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
  server = undefined
  await rm(folder, { recursive: true, force: true })
})

/** Something that listens on a control socket and answers as it is told. */
async function listens(onConnection: (socket: Socket) => void): Promise<string> {
  const path = join(folder, 'ctl')
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server?.listen(path, resolve))
  return path
}

/** A clock on which waits are over at once. */
const hasty: Clock = { ...systemClock, after: (_, fn) => systemClock.after(20, fn) }

describe('a client of BIRD', () => {
  it('asks in order, and first of all not to be let change anything', async () => {
    const asked: string[] = []
    const path = await listens((socket) => {
      socket.write('0001 BIRD 2.0.12 ready.\n')
      socket.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.trim().split('\n')) {
          asked.push(line)
          socket.write(line === 'restrict' ? '0016 Access restricted\n' : `1000-${line}\n0000 \n`)
        }
      })
    })
    using client = await BirdClient.connect(path, { clock: systemClock, readOnly: true })
    const replies = await Promise.all(['show a', 'show b', 'show c'].map((command) => client.ask(command)))
    expect(replies.map(({ lines }) => lines[0]?.text)).toEqual(['show a', 'show b', 'show c'])
    expect(asked[0]).toBe('restrict')
    expect(client.version).toBe('2.0.12')
    await expect(client.ask('show\nconfigure')).rejects.toThrow(/one line/)
  })

  it.each([
    ['says nothing', (): void => {}, /does not answer/],
    ['is something else', (socket: Socket): void => void socket.write('220 mail.example ESMTP\n'), /not BIRD/],
    ['greets otherwise', (socket: Socket): void => void socket.write('0013 Daemon is up\n'), /does not greet like BIRD/],
    ['hangs up', (socket: Socket): void => void socket.destroy(), /closed its control socket/],
  ])('fails clearly when what listens %s', async (_, onConnection, message) => {
    await expect(BirdClient.connect(await listens(onConnection), { clock: hasty })).rejects.toThrow(message)
  })

  it('stops reading an answer that has no end', async () => {
    const path = await listens((socket) => {
      socket.write('0001 BIRD 2.0.12 ready.\n')
      socket.once('data', () => {
        const line = `1000-${'x'.repeat(60_000)}`
        for (let count = 0; count < 40; count++) socket.write(line)
      })
    })
    using client = await BirdClient.connect(path, { clock: systemClock })
    await expect(client.ask('show route')).rejects.toThrow(/longer than/)
    expect(client.closed).toBe(true)
    await expect(client.ask('show route')).rejects.toThrow(/longer than/)
  })

  it('says where to look when there is nobody', async () => {
    await expect(BirdClient.connect(join(folder, 'none'), { clock: systemClock })).rejects.toMatchObject({
      code: 'BEAM_ERR_BACKEND_UNAVAILABLE',
      hint: expect.stringContaining('birdSocket') as string,
    })
  })
})

describe('a client of WireGuard', () => {
  it('reads an answer and passes an error on', async () => {
    const answers: Record<string, string> = {
      'get=1': `private_key=${'a'.repeat(64)}\nlisten_port=5\nerrno=0\n\n`,
      'set=1': 'errno=-98\n\n',
    }
    const path = await listens((socket) => {
      socket.setEncoding('utf8').once('data', (text: string) => socket.write(answers[text.split('\n')[0] ?? ''] ?? ''))
    })
    expect(await getInterface(path)).toEqual({ listenPort: 5, peers: [] })
    await expect(setInterface(path, 'set=1\nlisten_port=5\n\n')).rejects.toMatchObject({ code: 'BEAM_ERR_PORT_IN_USE' })
  })

  it.each([
    ['is something else', (socket: Socket): void => void socket.write('HTTP/1.1 400 Bad Request\n\n'), /not WireGuard/],
    ['hangs up', (socket: Socket): void => void socket.destroy(), /closed its control socket|cannot be used/],
    ['has no end', (socket: Socket): void => void socket.write('x'.repeat(300_000)), /longer than/],
  ])('fails clearly when what listens %s', async (_, onConnection, message) => {
    await expect(getInterface(await listens(onConnection))).rejects.toThrow(message)
  })
})
