import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { dialLink, generateIdentity, NODE_OBSERVED, ProtocolError, type Logger } from '../../../core/index.ts'

/** Local ports that are tried: high ones, above those that systems hand out by themselves on most machines. */
const PORTS = { from: 20_000, to: 60_000 }
const TRIES = 8

/** A local port and what the world sees of it, as long as it is not closed. */
export interface Observed extends Disposable {
  readonly localPort: number
  readonly host: string
  readonly port: number
}

/**
 * Asks a node of the mesh under which address it sees a fresh local port. The connection stays open, so that the mapping does.
 * @throws UnreachableError, TimeoutError, ProtocolError; the system's error when no port is to be had
 */
export async function observe(
  node: { readonly host: string; readonly port: number; readonly key: Uint8Array },
  options: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<Observed> {
  const { socket, localPort } = await connectFrom(node, options.signal)
  try {
    const { link } = await dialLink({ to: socket, expectedKey: node.key, identity: generateIdentity(), ...options })
    const place = decodePlace(await link.ask(NODE_OBSERVED, new Uint8Array(), options.signal))
    return { localPort, ...place, [Symbol.dispose]: () => link.close({ reason: 'the mapping is needed no more' }) }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function connectFrom(
  to: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<{ socket: Socket; localPort: number }> {
  let failure: unknown
  for (let tries = 0; tries < TRIES; tries++) {
    const localPort = randomInt(PORTS.from, PORTS.to)
    const socket = connect({ host: to.host, port: to.port, localPort, noDelay: true, allowHalfOpen: true })
    try {
      await once(socket, 'connect', { signal })
      socket.on('error', () => {})
      return { socket, localPort }
    } catch (error) {
      socket.destroy()
      failure = error
      if (!TAKEN.has((error as NodeJS.ErrnoException).code ?? '')) break
    }
  }
  throw failure
}

/** Somebody else has the port: another may be free. */
const TAKEN = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES'])

/** `192.0.2.1 4001`: what two ends tell each other of where they are seen. */
export function encodePlace({ host, port }: { readonly host: string; readonly port: number }): Uint8Array {
  return Buffer.from(`${host} ${port}`)
}

/** @throws ProtocolError */
export function decodePlace(bytes: Uint8Array): { readonly host: string; readonly port: number } {
  const match = /^([0-9a-f.:]{2,45}) (\d{1,5})$/i.exec(Buffer.from(bytes).toString('latin1'))
  const [, host = '', portText = ''] = match ?? []
  const port = Number(portText)
  if (isIP(host) === 0 || port < 1 || port > 65_535) throw new ProtocolError('Not the place of a connection.')
  return { host, port }
}
