/**
 * Beam's process inside the namespace, the first one in it: when it ends, the kernel ends WireGuard and BIRD with it, and interfaces, routes
 * and sockets are gone. It ends when Beam does, however Beam ends, because then the channel to it closes. A further Beam of the same user has
 * such a process too, which is not set up: it only listens, dials and looks.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { Socket as UdpSocket } from 'node:dgram'
import type { Server, Socket } from 'node:net'
import type { InsideAnswer, InsideRequest } from '../protocol.ts'
import { BirdProcess } from './bird-process.ts'
import { foreignStates, Links } from './links.ts'
import { run } from './run.ts'
import { dialFor, listenFor } from './sockets.ts'

const bird = new BirdProcess()
let links: Links | undefined

/** A namespace of its own begins empty: no /run of the host, no addresses, nothing is forwarded. */
async function setup({ address, uplink }: Extract<InsideRequest, { op: 'setup' }>): Promise<void> {
  await run(['mount', '-t', 'tmpfs', '-o', 'mode=0700,size=16m', 'tmpfs', '/run'])
  await mkdir('/run/wireguard', { mode: 0o700 })
  await run(['ip', 'link', 'set', 'lo', 'up'])
  await run(['ip', 'addr', 'add', `${address}/32`, 'dev', 'lo'])
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
  // Replies may come back another way than the request went.
  for (const which of ['all', 'default']) await writeFile(`/proc/sys/net/ipv4/conf/${which}/rp_filter`, '0')
  links = new Links(uplink)
}

async function apply(request: Extract<InsideRequest, { op: 'apply' }>): Promise<void> {
  await links?.add(request.links)
  await bird.configure(request.bird)
  await links?.keepOnly(request.links)
}

type Passed = Server | Socket | undefined

async function carryOut(request: InsideRequest, handle: unknown): Promise<{ readonly value: unknown; readonly pass?: Passed }> {
  switch (request.op) {
    case 'setup':
      return { value: await setup(request) }
    case 'socket':
      if (handle instanceof UdpSocket) links?.offer(request.interface, handle)
      return { value: undefined }
    case 'apply':
      return { value: await apply(request) }
    case 'listen':
      return { value: undefined, pass: await listenFor(request.host, request.port) }
    case 'dial':
      return { value: undefined, pass: await dialFor(request.host, request.port) }
    case 'state':
      return { value: { ...(await bird.state()), links: await (links === undefined ? foreignStates() : links.states()) } }
  }
}

function answer(message: InsideAnswer, pass?: Passed): void {
  if (process.send === undefined || !process.connected) return
  process.send(message, pass, { keepOpen: false }, () => {
    // A connection is given away by passing it; a listener would go on here too.
    if (pass !== undefined && 'listening' in pass) pass.close()
  })
}

/** One after the other, what changes something; the others side by side. */
let turn: Promise<unknown> = Promise.resolve()

process.on('message', (message: InsideRequest & { readonly id: number }, handle: unknown) => {
  const { id } = message
  const work = (): Promise<unknown> =>
    carryOut(message, handle).then(
      ({ value, pass }) => answer({ id, value }, pass),
      (error: NodeJS.ErrnoException) =>
        answer({ id, error: { message: error.message, ...(error.code !== undefined && { code: error.code }) } }),
    )
  if (message.op === 'setup' || message.op === 'socket' || message.op === 'apply') turn = turn.then(work)
  else void work()
})
process.on('disconnect', () => process.exit(0))
