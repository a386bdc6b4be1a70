import { execFile } from 'node:child_process'
import { chmod, readdir, readFile, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ensureFolders } from '../../../config/paths.ts'
import { Carrier } from '../../../cli/daemon/carrier.ts'
import { ControlClient } from '../../../cli/daemon/control-client.ts'
import { serveControl } from '../../../cli/daemon/control-server.ts'
import { findProcesses } from '../../../cli/daemon/find-processes.ts'
import type { ControlHost } from '../../../cli/daemon/host.ts'
import { MAX_BODY_BYTES, type PublishRequest } from '../../../cli/daemon/protocol.ts'
import { DAEMON_SOCKET, socketPath } from '../../../cli/daemon/sockets.ts'
import { faultOf } from '../../../cli/daemon/validate.ts'
import { Home, service } from './home.ts'

const run = promisify(execFile)

let home: Home
let carrier: Carrier
let published: PublishRequest[]
let server: AsyncDisposable
let path: string

beforeEach(async () => {
  home = await Home.make()
  ensureFolders(home.paths)
  carrier = new Carrier()
  published = []
  const host: ControlHost = {
    info: { api: 1, version: '0.0.0', pid: process.pid, role: 'command', since: new Date().toISOString() },
    carrier,
    stop: (id, reason) => carrier.stop(id, reason),
    migrate: async () => false,
    operate: async () => [],
    publish: async (asked) => {
      published.push(asked)
      return { id: 'x', ended: Promise.resolve('kept'), stop: async () => {} }
    },
  }
  server = await serveControl(host, home.paths, DAEMON_SOCKET)
  path = socketPath(home.paths, DAEMON_SOCKET)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

interface Answer {
  readonly status: number
  readonly body: string
}

function ask(
  method: string,
  url: string,
  body?: string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, method, path: url, headers, agent: false }, async (response) => {
      let text = ''
      for await (const chunk of response) text += String(chunk)
      resolve({ status: response.statusCode ?? 0, body: text })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const alive = async (): Promise<void> => expect((await new ControlClient(path).info()).pid).toBe(process.pid)

describe('the control API', () => {
  const good = { target: { port: 3000 }, options: {}, source: { environment: {} }, detach: true }

  it.each([
    ['no JSON', '{', 400],
    ['no object', '[]', 400],
    ['a missing target', JSON.stringify({ ...good, target: undefined }), 400],
    ['a port out of range', JSON.stringify({ ...good, target: { port: 70_000 } }), 400],
    ['a text for a number', JSON.stringify({ ...good, target: { port: '3000' } }), 400],
    ['an unknown option', JSON.stringify({ ...good, options: { onStream: 'x' } }), 400],
    ['a variable that is not ours', JSON.stringify({ ...good, source: { environment: { PATH: '/' } } }), 400],
    ['a body without end', JSON.stringify({ ...good, options: { name: 'x'.repeat(MAX_BODY_BYTES) } }), 413],
  ])('refuses %s, and says why as its schema describes', async (_, body, status) => {
    const answer = await ask('POST', '/v1/tunnels', body)
    expect(answer.status).toBe(status)
    expect(faultOf('answers#/$defs/error', JSON.parse(answer.body))).toBeUndefined()
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'BEAM_ERR_CONTROL', kind: 'config' } })
    expect(published).toEqual([])
    await alive()
  })

  it.each([
    ['GET', '/v1/tunnels/unknown', 404, 'BEAM_ERR_TUNNEL_UNKNOWN'],
    ['DELETE', '/v1/tunnels/unknown', 404, 'BEAM_ERR_TUNNEL_UNKNOWN'],
    ['GET', `/v1/tunnels/${'x'.repeat(64)}`, 400, 'BEAM_ERR_CONTROL'],
    ['GET', '/v1/events?history=many', 400, 'BEAM_ERR_CONTROL'],
    ['GET', '/v1/events?since=1', 400, 'BEAM_ERR_CONTROL'],
    ['GET', '/v2/tunnels', 404, 'BEAM_ERR_CONTROL'],
    ['PUT', '/v1/tunnels', 404, 'BEAM_ERR_CONTROL'],
    ['POST', '/v1/shutdown', 405, 'BEAM_ERR_UNSUPPORTED'],
  ])('answers %s %s with %i', async (method, url, status, code) => {
    const answer = await ask(method, url, undefined, {})
    expect(answer.status).toBe(status)
    expect(faultOf('answers#/$defs/error', JSON.parse(answer.body))).toBeUndefined()
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code } })
  })

  it('takes a good request, and asks nobody for what is not in it', async () => {
    const answer = await ask('POST', '/v1/tunnels', JSON.stringify(good))
    expect(answer).toEqual({ status: 200, body: '{"end":"kept"}\n' })
    expect(published).toEqual([good])
  })

  it('survives whatever bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, looksRight) => {
        await new Promise<void>((resolve) => {
          const socket = connect(path, () => {
            if (looksRight)
              socket.write('POST /v1/tunnels HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 300\r\n\r\n')
            socket.end(bytes)
          })
          socket.on('error', () => {})
          socket.on('close', () => resolve())
          socket.resume()
        })
      }),
      { numRuns: 60 },
    )
    expect(published).toEqual([])
    await alive()
  })

  it('answers others while one reads events too slowly, in bounded memory, and tells it what it missed', async () => {
    const message = 'm'.repeat(1_000)
    const socket = connect(path)
    socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
    await new Promise((resolve) => socket.once('readable', resolve))
    const rounds = 20_000
    const before = await memoryInUse()
    for (let round = 0; round < rounds; round++) {
      carrier.journal.add({ event: 'progress', tunnel: 'x', backend: 'b', phase: String(round), message })
      if (round % 500 === 0) await alive()
    }
    expect((await memoryInUse()) - before).toBeLessThan(15 * 1024 * 1024)
    let text = ''
    const isEnd = (): boolean => /"phase":"last"/.test(text)
    socket.on('data', (chunk) => (text += chunk.toString()))
    await vi.waitFor(() => {
      carrier.journal.add({ event: 'progress', tunnel: 'x', backend: 'b', phase: 'last', message: '' })
      expect(isEnd()).toBe(true)
    }, 10_000)
    socket.destroy()
    const missed = [...text.matchAll(/\{"missed":(\d+)\}/g)].reduce((sum, [, count]) => sum + Number(count), 0)
    const phases = [...text.matchAll(/"phase":"(\d+)"/g)].map(([, phase]) => Number(phase))
    expect(missed).toBeGreaterThan(0)
    expect(phases.length + missed).toBeGreaterThanOrEqual(rounds)
    expect(phases).toEqual(phases.toSorted((a, b) => a - b))
  })

  it('gives past events of one tunnel, and then new ones, to who asks for them', async () => {
    for (const tunnel of ['a', 'b', 'a']) carrier.journal.add({ event: 'stopped', tunnel, reason: 'x' })
    const client = new ControlClient(path)
    const lines: unknown[] = []
    for await (const line of client.events({ tunnel: 'a', history: 1, follow: true })) {
      lines.push(line)
      if (lines.length === 2) break
      carrier.journal.add({ event: 'stopped', tunnel: 'b', reason: 'x' })
      carrier.journal.add({ event: 'stopped', tunnel: 'a', reason: 'y' })
    }
    expect(lines).toMatchObject([{ event: { tunnel: 'a', reason: 'x' } }, { event: { tunnel: 'a', reason: 'y' } }])
  })

  it('is told apart from what is no Beam process, and from one that does not answer', async () => {
    const { createServer } = await import('node:net')
    const { listenPrivately } = await import('../../../cli/daemon/sockets.ts')
    const other = createServer((socket) => {
      socket.on('error', () => {})
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
    })
    const name = `command-${process.pid}-abcdef.sock`
    const remove = await listenPrivately(other, home.paths, name)
    const { processes, silent } = await findProcesses(home.paths)
    expect(processes).toHaveLength(1)
    expect(silent).toMatchObject([
      { socket: expect.stringContaining(name) as string, message: expect.stringContaining('control API') as string },
    ])
    remove()
    other.close()
  })
})

describe('the control socket', () => {
  it('can be used by its owner only', async () => {
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    for (const folder of [home.sockets, home.paths.runtime]) expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect(await readdir(home.sockets)).toEqual([DAEMON_SOCKET])
  })

  it.runIf(process.getuid?.() === 0)('refuses another user, even where the folders would let him in', async () => {
    for (const folder of [home.path, join(home.path, 'home'), home.paths.runtime, home.sockets]) await chmod(folder, 0o755)
    const script = `require('node:net').connect(process.argv[1]).on('connect', () => process.stdout.write('in')).on('error', (e) => process.stdout.write(e.code))`
    const tried = (user: string): Promise<{ stdout: string }> =>
      run('setpriv', ['--reuid', user, '--regid', user, '--clear-groups', process.execPath, '-e', script, path], {
        env: {},
        timeout: 10_000,
      }).catch((error: { stdout: string }) => error)
    expect((await tried('65534')).stdout).toBe('EACCES')
    // The same attempt by the owner gets in, so that it is the permission that was shown.
    const owner = run(process.execPath, ['-e', `${script}.on('connect', () => process.exit(0))`, path], { env: {} })
    expect((await owner).stdout).toBe('in')
  })

  it('is not looked for in a folder that others can write to', async () => {
    await chmod(home.paths.runtime, 0o777)
    expect(await findProcesses(home.paths)).toEqual({ processes: [], silent: [] })
  })
})

describe('no answer', () => {
  it('contains a private key or a secret word', { timeout: 60_000 }, async () => {
    using web = await service()
    await using other = await Home.make()
    const secret = 'correct horse battery staple'
    expect((await other.run(String(web.port), '-d', '--name', 'web', '--secret', secret)).code).toBe(0)
    const [daemon] = await other.list()
    const dump: string[] = [JSON.stringify(daemon?.tunnels)]
    path = socketPath(other.paths, DAEMON_SOCKET)
    const id = daemon!.tunnels[0]!.id
    for (const url of ['/v1/info', '/v1/tunnels', `/v1/tunnels/${id}`, '/v1/events?history=1000&follow=false', '/v1/nothing'])
      dump.push((await ask('GET', url, undefined, {})).body)
    for (const word of ['status', 'list', 'logs']) dump.push((await other.run(word)).stdout, (await other.run(word, '--json')).stdout)
    dump.push((await other.run('daemon', 'logs')).stdout, (await other.run('stop', 'web', '--json')).stdout)
    const all = dump.join('\n')
    expect(all).toContain(id)
    const key = await readFile(join(other.paths.data, 'keys', 'service-web.key'), 'utf8')
    const body = /-----BEGIN PRIVATE KEY-----\n([^-]+)\n-----END/.exec(key)![1]!
    const seed = Buffer.from(body, 'base64').subarray(-32)
    for (const form of [secret, body, seed.toString('hex'), seed.toString('base64'), seed.toString('base64url'), 'PRIVATE KEY'])
      expect(all).not.toContain(form)
  })
})

/** What is still referenced, in bytes: when garbage is collected by itself differs from one Node to the next. */
async function memoryInUse(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
