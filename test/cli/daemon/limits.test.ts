import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { beamPaths, ensureFolders } from '../../../config/paths.ts'
import { Carrier } from '../../../cli/daemon/carrier.ts'
import { ControlClient } from '../../../cli/daemon/control-client.ts'
import { serveControl } from '../../../cli/daemon/control-server.ts'
import { findProcesses } from '../../../cli/daemon/find-processes.ts'
import { MAX_CLIENTS } from '../../../cli/daemon/protocol.ts'
import { commandSocket, DAEMON_SOCKET, socketPath } from '../../../cli/daemon/sockets.ts'
import { Home } from './home.ts'

let home: Home
let server: AsyncDisposable
let client: ControlClient
let path: string
const open: Socket[] = []

beforeEach(async () => {
  home = await Home.make()
  ensureFolders(home.paths)
  const carrier = new Carrier()
  const info = { api: 1, version: '0.0.0', pid: process.pid, role: 'command', since: new Date().toISOString() } as const
  server = await serveControl(
    { info, carrier, stop: (id, reason) => carrier.stop(id, reason), migrate: async () => false, operate: async () => [] },
    home.paths,
    DAEMON_SOCKET,
  )
  path = socketPath(home.paths, DAEMON_SOCKET)
  client = new ControlClient(path)
})
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy()
  await server[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

async function follow(): Promise<Socket> {
  const socket = connect(path)
  open.push(socket)
  socket.on('error', () => {})
  socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
  await Promise.race([once(socket, 'data'), once(socket, 'close')])
  return socket
}

it(`the control API takes ${MAX_CLIENTS} connections, refuses more, and takes new ones when others end`, async () => {
  for (let count = 0; count < MAX_CLIENTS; count++) await follow()
  expect(open.every((socket) => !socket.destroyed)).toBe(true)
  const error = await client.info().catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'BEAM_ERR_DAEMON_LOST' })
  open.shift()?.destroy()
  await vi.waitFor(async () => expect((await client.info()).pid).toBe(process.pid))
})

it('the control API ends within a second, also while others follow events without reading', async () => {
  await Promise.all(Array.from({ length: 10 }, async () => (await follow()).pause()))
  const begun = performance.now()
  await server[Symbol.asyncDispose]()
  expect(performance.now() - begun).toBeLessThan(3_000)
  await expect(client.info()).rejects.toMatchObject({ code: 'ENOENT' })
})

it('the control API works where the folder for sockets has a path too long for them', async () => {
  const paths = beamPaths({ BEAM_HOME: join(home.path, 'long'.repeat(40)) })
  ensureFolders(paths)
  const carrier = new Carrier()
  const info = { api: 1, version: '0.0.0', pid: process.pid, role: 'command', since: new Date().toISOString() } as const
  const other = await serveControl(
    { info, carrier, stop: (id, reason) => carrier.stop(id, reason), migrate: async () => false, operate: async () => [] },
    paths,
    commandSocket(),
  )
  try {
    expect((await findProcesses(paths)).processes).toMatchObject([{ process: { pid: process.pid } }])
  } finally {
    await other[Symbol.asyncDispose]()
    await rm(paths.runtime, { recursive: true })
  }
})
