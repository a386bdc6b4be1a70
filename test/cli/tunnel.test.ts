import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { beam, BeamProcess, temporaryFolder, type JsonLine } from './beam-process.ts'
import { expectValid } from './json-schema.ts'

const portOf = (server: Server): number => (server.address() as AddressInfo).port
const addressOf = (ready: JsonLine): string => (ready['tunnel'] as { endpoints: { address: string }[] }).endpoints[0]?.address ?? ''

async function listening(server: Server, port = 0): Promise<Server> {
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return server
}

/** Says how many bytes came and their digest, once the visitor has said all. */
const digesting = (): Server =>
  createServer({ allowHalfOpen: true }, (socket) => {
    const hash = createHash('sha256')
    socket.on('error', () => {})
    socket.on('data', (chunk) => hash.update(chunk))
    socket.on('end', () => socket.end(hash.digest('hex')))
  })

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let http: Server
beforeAll(async () => {
  http = await listening(createHttpServer((request, response) => response.end(`hello ${request.url}`)))
})
afterAll(() => void http.close())
beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made
  return () => made[Symbol.asyncDispose]()
})

const start = (...args: string[]): BeamProcess => new BeamProcess(args, { folder: folder.path })

describe('beam PORT and beam connect', () => {
  it('carry HTTP, say so in JSON lines, and end with 0 after Ctrl-C', async () => {
    await using publisher = start(String(portOf(http)), '--json', '--verbose')
    const address = addressOf(await publisher.event('ready'))
    expect(address).toMatch(/^beam:\/\/[a-z2-7]{56}$/)
    await using visitor = start('connect', address, '--port', '0', '--json')
    const { port, host } = (await visitor.event('listening')) as unknown as { port: number; host: string }
    expect(host).toBe('127.0.0.1')
    expect(await (await fetch(`http://127.0.0.1:${port}/there`)).text()).toBe('hello /there')
    for (const end of [visitor, publisher]) {
      expect((await end.stop()).code).toBe(0)
      expect(end.events.at(-1)).toMatchObject({ event: 'stopped', reason: 'interrupted' })
      for (const event of end.events) expectValid('events', event)
    }
    expect(publisher.events.filter(({ event }) => event === 'ready')).toHaveLength(1)
  })

  it('publish several services at once, each with its address', async () => {
    await using publisher = start(String(portOf(http)), `localhost:${portOf(http)}`, '--json')
    const [first, second] = [await publisher.event('ready', 1), await publisher.event('ready', 2)]
    expect(addressOf(first)).not.toBe(addressOf(second))
    expect((await publisher.stop('SIGTERM')).code).toBe(0)
    expect(publisher.events.filter(({ event }) => event === 'stopped')).toHaveLength(2)
  })

  it('tell people what to paste, what is revealed and who can get in, but never the secret word', async () => {
    await using publisher = new BeamProcess([String(portOf(http)), '--allow', await ownKey()], {
      folder: folder.path,
      env: { BEAM_SECRET: 'open sesame' },
    })
    expect(await publisher.line(/^npx beam connect/)).toMatch(/^npx beam connect beam:\/\/[a-z2-7]{56} --identify --secret -$/)
    await publisher.line(/^ {2}Service {3}up/)
    const { stdout, stderr, code } = await publisher.stop()
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ {2}Reveals /m)
    expect(stdout).toMatch(/^ {2}Access .*visitor key/m)
    expect(stdout + stderr).not.toContain('sesame')
    expect(stdout).not.toContain('\u001B')
  })

  it('print the bare address with --url-only, and a QR code with --qr', async () => {
    await using publisher = start(String(portOf(http)), '--url-only')
    await publisher.line(/beam/)
    expect((await publisher.stop()).stdout).toMatch(/^beam:\/\/[a-z2-7]{56}\n$/)
    await using other = start(String(portOf(http)), '--qr')
    await other.line(/█▄▄▄▄▄█|▀▀▀▀▀▀▀/)
  })

  it('end without complaint when nobody reads the output any more', async () => {
    await using publisher = start(String(portOf(http)), '--json')
    await publisher.event('ready')
    publisher.child.stdout.destroy()
    // The next event meets a closed pipe: Ctrl-C is one, and so is a service that goes away.
    publisher.child.kill('SIGINT')
    const { code, stderr } = await publisher.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  async function ownKey(): Promise<string> {
    return (await beam(['key', 'show'], folder.path)).stdout.trim()
  }
})

describe('a fault of Beam itself', () => {
  it('is an error like any other, without a stack trace', async () => {
    // The guard of the tests stands in NODE_OPTIONS already.
    const fault = `data:text/javascript,${encodeURIComponent(`process.once('SIGUSR2', () => { throw new Error('boom') })`)}`
    const env = { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${fault}` }
    await using publisher = new BeamProcess([String(portOf(http)), '--json'], { folder: folder.path, env })
    await publisher.event('ready')
    const { code, stderr } = await publisher.stop('SIGUSR2')
    expect(publisher.events.at(-1)).toMatchObject({ event: 'error', code: 'BEAM_ERR_INTERNAL', message: 'boom' })
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
  })
})

describe('the local service', () => {
  it('may come later: Beam waits and tells when it is there', async () => {
    const reserved = await listening(createServer())
    const port = portOf(reserved)
    await new Promise((resolve) => reserved.close(resolve))
    await using publisher = start(String(port), '--json')
    expect(await publisher.event('ready')).toMatchObject({ tunnel: { service: 'down' } })
    const service = await listening(
      createServer((socket) => socket.end()),
      port,
    )
    try {
      expect(await publisher.event('up')).toMatchObject({ what: 'service' })
    } finally {
      service.close()
    }
    expect((await publisher.stop()).code).toBe(0)
  })

  it('must be there with --require-service', async () => {
    const reserved = await listening(createServer())
    const port = portOf(reserved)
    await new Promise((resolve) => reserved.close(resolve))
    const { code, stdout } = await beam([String(port), '--require-service', '--json'], folder.path)
    expect(code).toBe(1)
    const errors = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonLine)
      .filter(({ event }) => event === 'error')
    expect(errors).toMatchObject([{ code: 'BEAM_ERR_SERVICE_DOWN' }])
  })
})

describe('--name', () => {
  it('keeps the address across restarts, also after kill -9, and is held by one process', async () => {
    const args = [String(portOf(http)), '--name', 'web', '--json']
    await using first = start(...args)
    const address = addressOf(await first.event('ready'))
    const second = await beam(args, folder.path)
    expect(second.code).toBe(1)
    expect(second.stdout).toContain('BEAM_ERR_NAME_IN_USE')
    await first.stop('SIGKILL')
    await using third = start(...args)
    expect(addressOf(await third.event('ready'))).toBe(address)
    const listed = JSON.parse((await beam(['key', 'list', '--json'], folder.path)).stdout) as unknown
    expectValid('key', listed)
    expect(listed).toEqual({ services: [{ name: 'web', address }] })
  })
})

describe('--secret', () => {
  it('lets in who knows the word, from wherever it comes', async () => {
    await using publisher = start(String(portOf(http)), '--secret', '-', '--json')
    publisher.child.stdin.end('open sesame\n')
    const address = addressOf(await publisher.event('ready'))

    const stranger = await beam(['connect', address, '--json'], folder.path, { BEAM_SECRET: 'open barley' })
    expect(stranger.code).toBe(1)
    expect(stranger.stdout).toContain('BEAM_ERR_ACCESS_DENIED')
    expect(stranger.stdout + stranger.stderr).not.toContain('barley')

    const file = join(folder.path, 'word')
    await writeFile(file, 'open sesame\n')
    await using friend = start('connect', address, '--secret-file', file, '--json')
    const { port } = (await friend.event('listening')) as unknown as { port: number }
    expect(await (await fetch(`http://127.0.0.1:${port}/in`)).text()).toBe('hello /in')
  })
})

describe('beam connect', () => {
  it('says that a port is taken, that an address is wrong, and that nobody publishes it', async () => {
    await using publisher = start(String(portOf(http)), '--json')
    const address = addressOf(await publisher.event('ready'))
    const taken = await beam(['connect', address, '--port', String(portOf(http)), '--json'], folder.path)
    expect(taken.code).toBe(1)
    expect(taken.stdout).toContain('BEAM_ERR_PORT_IN_USE')
    const wrong = await beam(['connect', `${address}x`], folder.path)
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('BEAM_ERR_ADDRESS_INVALID')
    await publisher.stop()
    const gone = await beam(['connect', address], folder.path)
    expect(gone.code).toBe(1)
    expect(gone.stderr).toContain('BEAM_ERR_NOT_FOUND')
  })

  it('refuses a network that is not there, and one that nobody knows', async () => {
    const port = String(portOf(http))
    expect(await beam([port, '--backend', 'mseh'], folder.path)).toMatchObject({ code: 2, stderr: expect.stringContaining('mesh') })
  })
})

describe('beam connect --stdio', () => {
  /** Runs one connection through `--stdio`; `input` is written, and standard input then ends. */
  async function through(server: Server, use: (visitor: BeamProcess) => Promise<void>): Promise<void> {
    await using publisher = start(String(portOf(server)), '--json')
    const address = addressOf(await publisher.event('ready'))
    await using visitor = new BeamProcess(['connect', '--stdio', address], { folder: folder.path, raw: true })
    try {
      await use(visitor)
    } finally {
      server.close()
    }
  }

  async function read(visitor: BeamProcess): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of visitor.child.stdout) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  it('passes on the end of its input and waits for the answer', async () => {
    const data = randomBytes(5_000_000)
    await through(await listening(digesting()), async (visitor) => {
      visitor.child.stdin.end(data)
      expect((await read(visitor)).toString()).toBe(createHash('sha256').update(data).digest('hex'))
      expect((await visitor.ended).code).toBe(0)
    })
  })

  it('passes on the end of the answer and goes on sending', async () => {
    const late = randomBytes(3_000_000)
    const hash = createHash('sha256')
    let ended = false
    const server = await listening(
      createServer({ allowHalfOpen: true }, (socket: Socket) => {
        socket.on('error', () => {})
        socket.end('early')
        socket.on('data', (chunk) => hash.update(chunk))
        socket.on('end', () => (ended = true))
      }),
    )
    await through(server, async (visitor) => {
      expect((await read(visitor)).toString()).toBe('early')
      visitor.child.stdin.end(late)
      expect((await visitor.ended).code).toBe(0)
      await vi.waitFor(() => expect(ended).toBe(true), { timeout: 10_000 })
    })
    expect(hash.digest('hex')).toBe(createHash('sha256').update(late).digest('hex'))
  })

  it('ends with 1 when the service breaks off', async () => {
    const server = await listening(createServer((socket) => socket.once('data', () => socket.resetAndDestroy())))
    await through(server, async (visitor) => {
      visitor.child.stdin.write('x')
      const { code, stderr } = await visitor.ended
      expect(code).toBe(1)
      expect(stderr).toContain('BEAM_ERR_STREAM_RESET')
    })
  })
})

describe('--bind', () => {
  it('listens where it is told', async () => {
    await using publisher = start(String(portOf(http)), '--json')
    const address = addressOf(await publisher.event('ready'))
    await using visitor = start('connect', address, '--bind', '127.0.0.2', '--json')
    const { port, host } = (await visitor.event('listening')) as unknown as { port: number; host: string }
    expect(host).toBe('127.0.0.2')
    const socket = connect(port, '127.0.0.2')
    await once(socket, 'connect')
    socket.destroy()
  })
})
