import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { resetStream, type Clock, type Visitor } from '../../core/index.ts'
import { MAX_STREAMS_PER_TUNNEL, MAX_TOKEN_LINE_BYTES, MAX_UNPROVEN_STREAMS, TOKEN_TIMEOUT_MS } from './limits.ts'
import type { StreamTarget } from './messages.ts'

const LF = 0x0a

/** A token that nobody guesses: 32 random bytes. */
function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function refuse(socket: Socket): void {
  resetStream(socket, new Error('it did not say the token'))
}

/** What goes through a door, counted from outside: `in` comes from visitors. */
export interface DoorFigures {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly openStreams: number
  readonly totalStreams: number
}

/** What a door needs. */
export interface DoorOptions {
  /** Name of the backend. */
  readonly backend: string
  readonly clock: Clock
  /** Takes a visitor's stream; the token line is gone from it. */
  readonly onStream: (stream: Socket, visitor: Visitor) => void
}

/**
 * The loopback port on which an executable delivers the visitors' streams of one tunnel. Every user of the machine can connect to it,
 * so each connection has to say the tunnel's token first.
 */
export class StreamDoor {
  readonly #options: DoorOptions
  readonly #server: Server
  readonly #token = newToken()
  readonly #proven = new Set<Socket>()
  readonly #unproven = new Set<Socket>()
  #bytesIn = 0
  #bytesOut = 0
  #totalStreams = 0

  private constructor(options: DoorOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#receive(socket))
  }

  /** Opens a door on a free port. */
  static async open(options: DoorOptions): Promise<StreamDoor> {
    const door = new StreamDoor(options)
    await new Promise<void>((resolve, reject) => {
      door.#server.once('error', reject)
      door.#server.listen(0, '127.0.0.1', () => {
        door.#server.removeListener('error', reject)
        resolve()
      })
    })
    // Too many open files: single connections fail, the door stays.
    door.#server.on('error', () => {})
    return door
  }

  /** Where the executable connects, and what it says. */
  get target(): StreamTarget {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port, token: this.#token }
  }

  /** What went through so far. */
  get figures(): DoorFigures {
    let bytesIn = this.#bytesIn
    let bytesOut = this.#bytesOut
    for (const socket of this.#proven) {
      bytesIn += socket.bytesRead
      bytesOut += socket.bytesWritten
    }
    return { bytesIn, bytesOut, openStreams: this.#proven.size, totalStreams: this.#totalStreams }
  }

  /** Closes the door and resets every stream that came through it. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.resetStreams()
    await closed
  }

  /** Resets the streams: the executable that carried them is gone. */
  resetStreams(): void {
    for (const socket of [...this.#proven, ...this.#unproven]) resetStream(socket, new Error('the tunnel is gone'))
  }

  #receive(socket: Socket): void {
    socket.on('error', () => {})
    if (this.#unproven.size >= MAX_UNPROVEN_STREAMS || this.#proven.size >= MAX_STREAMS_PER_TUNNEL) {
      refuse(socket)
      return
    }
    this.#unproven.add(socket)
    const cancelTimer = this.#options.clock.after(TOKEN_TIMEOUT_MS, () => refuse(socket), { unref: true })
    let head = Buffer.alloc(0)
    const onGone = (): void => {
      cancelTimer()
      this.#unproven.delete(socket)
    }
    const onEnd = (): void => {
      refuse(socket)
    }
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      head = Buffer.concat([head, chunk])
      const end = head.indexOf(LF)
      if (end > MAX_TOKEN_LINE_BYTES || (end < 0 && head.length > MAX_TOKEN_LINE_BYTES)) return refuse(socket)
      if (end < 0) return
      socket.off('readable', onReadable)
      socket.off('end', onEnd)
      socket.off('close', onGone)
      onGone()
      const visitor = this.#readTokenLine(head.subarray(0, end).toString('utf8').replace(/\r$/, ''))
      if (visitor === undefined) return refuse(socket)
      this.#admit(socket, end + 1)
      const rest = head.subarray(end + 1)
      if (rest.length > 0) socket.unshift(rest)
      // A stream forgets that it was read by 'readable' on the next tick; only then does 'data' start it as on a fresh one.
      process.nextTick(() => this.#options.onStream(socket, visitor))
    }
    socket.on('readable', onReadable)
    socket.once('end', onEnd)
    socket.once('close', onGone)
  }

  #admit(socket: Socket, lineBytes: number): void {
    this.#proven.add(socket)
    this.#totalStreams += 1
    this.#bytesIn -= lineBytes
    socket.once('close', () => {
      this.#proven.delete(socket)
      this.#bytesIn += socket.bytesRead
      this.#bytesOut += socket.bytesWritten
    })
  }

  /** `token`, optionally a space and `{"key": …, "remoteAddress": …}`; undefined when it does not open this door. */
  #readTokenLine(line: string): Visitor | undefined {
    const space = line.indexOf(' ')
    const given = Buffer.from(space < 0 ? line : line.slice(0, space))
    const wanted = Buffer.from(this.#token)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
    const { backend } = this.#options
    if (space < 0) return { backend }
    try {
      const told = JSON.parse(line.slice(space + 1)) as { readonly key?: unknown; readonly remoteAddress?: unknown } | null
      return {
        backend,
        ...(typeof told?.key === 'string' ? { key: told.key } : {}),
        ...(typeof told?.remoteAddress === 'string' ? { remoteAddress: told.remoteAddress } : {}),
      }
    } catch {
      return undefined
    }
  }
}
