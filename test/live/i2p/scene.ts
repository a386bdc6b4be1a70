import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { inject } from 'vitest'
import type { I2pBackend, I2PConfig } from '../../../backends/i2p/index.ts'
import { I2pBackend as Backend } from '../../../backends/i2p/index.ts'
import {
  CleanupStack,
  silentLogger,
  systemClock,
  type Clock,
  type EndpointState,
  type TunnelEvent,
  type TunnelOptions,
} from '../../../core/index.ts'
import { newHome, testConfig } from './home.ts'

/** What a test sets up with the private network; all of it ends with the test. */
export class I2pScene implements AsyncDisposable {
  readonly #undo = new CleanupStack()

  /** SAM ports of the two clients of the network: the first serves, the second visits. */
  get ports(): readonly [serving: number, visiting: number] {
    const [serving, visiting] = inject('i2p').places
    return [serving?.samPort ?? 0, visiting?.samPort ?? 0]
  }

  defer(step: () => unknown): void {
    this.#undo.defer(step)
  }

  /** An initialized backend at a SAM port (`undefined`: a private router). */
  async backend(samPort: number | undefined, changes: Partial<I2PConfig> = {}, clock: Clock = systemClock): Promise<I2pBackend> {
    const home = await newHome()
    this.#undo.defer(() => home[Symbol.asyncDispose]())
    const backend = new Backend({ config: testConfig(samPort, changes), paths: home.paths, logger: silentLogger, clock })
    this.#undo.defer(() => backend[Symbol.asyncDispose]())
    await backend.initialize()
    return backend
  }

  /** A local service that says back what it hears. */
  async echo(onConnection: (socket: Socket) => void = (socket) => socket.pipe(socket)): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => onConnection(socket.on('error', () => {})))
    const sockets = new Set<Socket>()
    server.on('connection', (socket: Socket) => sockets.add(socket))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    this.#undo.defer(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]()
  }
}

/** A published echo, with everything that was told of it. */
export async function publish(
  backend: I2pBackend,
  port: number,
  options: TunnelOptions = {},
): Promise<{ readonly id: string; readonly address: string; readonly events: readonly TunnelEvent[]; states(): readonly EndpointState[] }> {
  const events: TunnelEvent[] = []
  const { id, endpoints } = await backend.startTunnel(port, { ...options, onEvent: (event) => events.push(event) })
  const states = (): EndpointState[] => events.flatMap((event) => (event.type === 'state' ? [event.state] : []))
  return { id, address: endpoints[0]?.address ?? '', events, states }
}

/** Says a word and reads as much back. */
export async function say(stream: Duplex, word = 'hello'): Promise<string> {
  stream.on('error', () => {})
  stream.write(word)
  let answer = ''
  for await (const chunk of stream) {
    answer += String(chunk)
    if (answer.length >= word.length) return answer
  }
  throw new Error(`the stream ended after ${answer.length} bytes`)
}

/** Dials until it works: a lease set that is new, or a session that was just made, takes a moment. */
export async function visit(
  backend: I2pBackend,
  address: string,
  options: Parameters<I2pBackend['dial']>[1] = {},
  limitMs = 90_000,
): Promise<string> {
  for (const deadline = Date.now() + limitMs; ;) {
    try {
      return await say(await backend.dial(address, options))
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}
