import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Check, Finding } from './finding.ts'

type Result = Pick<Finding, 'state' | 'detail' | 'advice'>

const DEADLINE_MS = 2_000

/** The group of multicast DNS (RFC 6762 section 3). */
const MDNS_GROUP = '224.0.0.251'

/** Sockets of this machine; nothing leaves it. */
export function socketChecks(env: NodeJS.ProcessEnv = process.env): Check[] {
  const check = (id: string, title: string, run: Check['run'], essential = false): Check => ({
    group: 'network',
    id,
    title,
    essential,
    deadlineMs: DEADLINE_MS,
    run,
  })
  return [
    check('tcp', 'TCP on loopback', () => tcp('127.0.0.1'), true),
    check('udp', 'UDP on loopback', udp),
    check('ipv6', 'IPv6', ipv6),
    check('multicast', 'Multicast', (signal) => multicast(env['BEAM_P2P_MDNS'] ?? 'on', signal)),
  ]
}

async function tcp(host: string): Promise<Result> {
  const server = createServer((socket) => socket.pipe(socket))
  try {
    await once(server.listen(0, host), 'listening')
    const client = connect((server.address() as AddressInfo).port, host)
    client.end('beam')
    const [answer] = (await once(client, 'data')) as [Buffer]
    client.destroy()
    if (answer.toString() !== 'beam') throw new Error('what came back is not what was sent')
    return { state: 'ok', detail: `listens and connects on ${host}` }
  } finally {
    server.close()
  }
}

async function udp(): Promise<Result> {
  const socket = createSocket('udp4')
  try {
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    socket.send('beam', socket.address().port, '127.0.0.1')
    await once(socket, 'message')
    return { state: 'ok', detail: 'sends and receives on 127.0.0.1' }
  } finally {
    socket.close()
  }
}

async function ipv6(): Promise<Result> {
  try {
    await tcp('::1')
  } catch {
    return { state: 'off', detail: 'not available; IPv4 is used' }
  }
  const global = Object.values(networkInterfaces())
    .flat()
    .some((address) => address?.family === 'IPv6' && !address.internal && !/^(f[cd]|fe[89ab])/i.test(address.address))
  return { state: 'ok', detail: global ? 'loopback and a public address' : 'loopback only, no public address' }
}

/** Sends a datagram to the group of multicast DNS with a time to live of 0, so that it stays on this machine, and waits for it. */
async function multicast(setting: string, signal: AbortSignal): Promise<Result> {
  if (setting === 'off') return { state: 'off', detail: 'switched off by BEAM_P2P_MDNS' }
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const close = (): void => void socket.close()
  const on = setting === 'loopback' ? '127.0.0.1' : undefined
  try {
    socket.bind(0)
    await once(socket, 'listening', { signal })
    socket.addMembership(MDNS_GROUP, on)
    if (on !== undefined) socket.setMulticastInterface(on)
    socket.setMulticastTTL(0)
    socket.setMulticastLoopback(true)
    socket.send('beam', socket.address().port, MDNS_GROUP)
    await once(socket, 'message', { signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS / 2)]) })
    return { state: 'ok', detail: on === undefined ? 'services are found on the local network' : 'works on loopback' }
  } catch (error) {
    return {
      state: 'limited',
      detail: `does not work here (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
      advice: 'Services on the local network are found through the DHT or with @host:port only.',
    }
  } finally {
    close()
  }
}
