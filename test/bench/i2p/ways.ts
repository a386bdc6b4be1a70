import { mkdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { generateKeys, readKeys } from '../../../backends/i2p/keys.ts'
import { SamConnection } from '../../../backends/i2p/sam/connection.ts'
import { openStream } from '../../../backends/i2p/sam/open-stream.ts'
import { SamSession } from '../../../backends/i2p/sam/session.ts'
import { diallingOptions, publishingOptions } from '../../../backends/i2p/session-options.ts'
import { systemClock } from '../../../core/index.ts'
import { until, type TestRouter } from '../../helpers/i2p-network/router.ts'
import { cleanEnvironment, type Children } from '../children.ts'
import { firstByte } from '../onion/load.ts'

/** A way from a visitor to the origin. */
export interface Way {
  readonly name: string
  readonly what: string
  dial(): Promise<Socket>
}

/** Tunnels of all ways alike. */
const SHAPE = { length: 0, quantity: 1, variance: 0 }
const KEYS = 'bench.dat'
/** A service is reached some seconds after it was published. */
const REACH_MS = 90_000

/** tunnels.conf of a router that publishes the origin by itself. */
export function serverTunnel(origin: number): string {
  const shape = ['inbound', 'outbound'].flatMap((way) => [`${way}.length = ${SHAPE.length}`, `${way}.quantity = ${SHAPE.quantity}`])
  return [
    '[bench]',
    'type = server',
    'host = 127.0.0.1',
    `port = ${origin}`,
    `keys = ${KEYS}`,
    'i2cp.leaseSetEncType = 4',
    ...shape,
    '',
  ].join('\n')
}

/** The address of that tunnel. */
export async function i2pdServer({ place }: TestRouter): Promise<string> {
  const read = (): ReturnType<typeof readKeys> => {
    try {
      return readKeys(readFileSync(join(place.dir, KEYS)))
    } catch {
      return undefined
    }
  }
  await until(() => read() !== undefined, 'i2pd made no keys for its server tunnel')
  return read()?.b32 ?? ''
}

/** A publisher without Beam: a session of SAM that forwards streams to the origin as they are. Its address, and what ends it. */
export async function samPublisher(port: number, origin: number): Promise<{ address: string; stop(): void }> {
  const at = { host: '127.0.0.1', port }
  const { secret, b32 } = await generateKeys(at, { clock: systemClock })
  const session = await SamSession.open({ at, key: secret, options: publishingOptions(SHAPE, undefined), clock: systemClock })
  await session.ready
  const forward = await SamConnection.open(at, { clock: systemClock })
  const reply = await forward.command(`STREAM FORWARD ID=${session.id} PORT=${origin} SILENT=true`, { limitMs: 10_000 })
  if (reply.values.get('RESULT') !== 'OK') throw new Error(`no forwarding: ${reply.rest}`)
  return {
    address: b32,
    stop() {
      forward.close()
      session.close()
    },
  }
}

/** A visitor without Beam: one session of SAM, a connection for each stream. */
export async function samVisitor(port: number): Promise<{ dial(address: string): Promise<Socket>; stop(): void }> {
  const at = { host: '127.0.0.1', port }
  const session = await SamSession.open({ at, options: diallingOptions(SHAPE, undefined), clock: systemClock })
  const reached = new Set<string>()
  const open = (host: string): Promise<Socket> => openStream(at, session.id, host, { clock: systemClock })
  return {
    async dial(address) {
      const host = address.replace('http://', '')
      // Until its tunnels are there, and the lease set is found.
      for (const deadline = Date.now() + REACH_MS; !reached.has(host) && Date.now() < deadline; await delay(200)) {
        await firstByte(() => open(host)).then(
          () => reached.add(host),
          () => {},
        )
      }
      return open(host)
    },
    stop: () => session.close(),
  }
}

interface BeamEnd {
  readonly script: string
  readonly children: Children
  readonly home: string
  readonly samPort: number
}

function environment({ home, samPort }: BeamEnd): NodeJS.ProcessEnv {
  mkdirSync(home, { recursive: true })
  const own = {
    BEAM_HOME: home,
    BEAM_I2P_SAM_PORT: String(samPort),
    BEAM_I2P_LENGTH: String(SHAPE.length),
    BEAM_I2P_QUANTITY: String(SHAPE.quantity),
  }
  return { ...cleanEnvironment(home), ...own, BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }
}

/** `beam <port>`: its address. */
export async function beamPublisher(end: BeamEnd & { readonly origin: number }): Promise<string> {
  const child = await end.children.start(process.execPath, [end.script, String(end.origin), '--backend', 'i2p', '--json'], environment(end))
  const output = await waitLong(() => child.waitFor(/"event":"ready"[^]*?|"event":"error"[^\n]*/))
  if (output[0].includes('error')) throw new Error(output[0])
  const [address] = await child.waitFor(/http:\/\/[a-z2-7]{52}\.b32\.i2p/)
  return address
}

/** `beam connect`: dials through its local port. */
export async function beamConnect(end: BeamEnd & { readonly address: string }): Promise<() => Promise<Socket>> {
  const child = await end.children.start(process.execPath, [end.script, 'connect', end.address, '--port', '0', '--json'], environment(end))
  const [, port] = await waitLong(() => child.waitFor(/"event":"listening".*?"port":(\d+)/))
  return async () => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return socket
  }
}

/** Publishing and reaching take longer here than what the bench usually waits for. */
async function waitLong(attempt: () => Promise<RegExpExecArray>): Promise<RegExpExecArray> {
  for (const deadline = Date.now() + REACH_MS; ;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}
