import { once } from 'node:events'
import { performServerHandshake, type IncomingHttpHeaders, type ServerHttp2Session } from 'node:http2'
import { createServer as createTcpServer, Socket, type AddressInfo, type Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { BackendUnavailableError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import type { Logger } from '../logger.ts'
import { sensitive } from '../sensitive.ts'
import { isPlainSocket } from '../streams/sink.ts'
import {
  HANDSHAKE_TIMEOUT_MS,
  LINK_PROTOCOL,
  LINK_TOKEN_BYTES,
  LINK_TOKEN_LABEL,
  MAX_DOOR_TOKENS,
  MAX_HANDSHAKES,
  MAX_LINKS,
  MAX_SIDE_CONNECTIONS,
  PIPE_PREAMBLE_BYTES,
} from './constants.ts'
import { readGreeting } from './greeting.ts'
import { destroyLate } from './late-destroy.ts'
import type { LinkStream } from './link-stream.ts'
import { Link } from './link.ts'
import { Newcomers } from './newcomers.ts'
import type { Refusal } from './refusal.ts'
import type { Serve } from './serve.ts'
import { sessionOptions } from './session-options.ts'
import { sideOnly, type SideDoor } from './side-door.ts'
import { provenKey, tlsContextOptions } from './tls.ts'

/** Who asks: what the judge of a request is told. */
export interface Asker {
  readonly peerKey: Buffer
  readonly remoteAddress: string | undefined
  /** Keying material of the connection (RFC 8446 section 7.5). */
  readonly exportKey: (label: string, bytes: number) => Buffer
}

/** How links are accepted. */
export interface LinkListenerOptions {
  readonly host?: string
  /** 0 or absent = any free port. */
  readonly port?: number
  /** The key to be proved to every dialler. */
  readonly identity: Identity
  readonly logger: Logger
  readonly maxLinks?: number
  /** Decides about a request; undefined = granted. */
  readonly judge: (asker: Asker, headers: IncomingHttpHeaders) => Refusal | undefined | Promise<Refusal | undefined>
  /** The signed record of what is published here, for whoever asks. */
  readonly record?: () => Uint8Array
  /** Answers small requests of the mesh. */
  readonly serve?: Serve
  /** Connections that are expected beside links. */
  readonly door?: SideDoor
  /** Takes a granted stream. */
  readonly onStream: (stream: LinkStream, link: Link, asker: Asker) => void
}

/** Accepts links over TCP, and over any other byte stream that is handed in. Every link proves the same key to its dialler. */
export class LinkListener implements AsyncDisposable {
  readonly #options: LinkListenerOptions
  /** Does the handshakes; never listens itself. */
  readonly #server: Server
  readonly #tcp: TcpServer
  readonly #links = new Map<string, Link>()
  readonly #connections = new Set<Duplex>()
  /** Connections over TCP that have not shown a key yet; those over other carriers are bounded by whoever lets them in. */
  readonly #handshaking = new Newcomers(MAX_HANDSHAKES)
  /** Side channels that have not said yet which stream they are for. */
  readonly #unclaimedPipes = new Newcomers(MAX_HANDSHAKES)

  /** Places of connections that were made for side channels only. */
  readonly #sides = new Set<string>()

  constructor(options: LinkListenerOptions) {
    this.#options = options
    this.#server = createServer({
      ...tlsContextOptions(options.identity),
      ALPNProtocols: [LINK_PROTOCOL],
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    })
    this.#tcp = createTcpServer({ noDelay: true, keepAlive: true }, (socket) => this.#onConnection(socket))
    const beside = options.door === undefined ? 0 : MAX_DOOR_TOKENS + MAX_SIDE_CONNECTIONS
    this.#tcp.maxConnections = 2 * (options.maxLinks ?? MAX_LINKS) + 2 * MAX_HANDSHAKES + beside
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket))
    this.#server.on('tlsClientError', (error, socket) => {
      options.logger.debug('handshake failed', { error: error.message })
      socket.destroy()
    })
  }

  /**
   * Starts to listen on TCP; resolves with where.
   * @throws BackendUnavailableError when the port cannot be had.
   */
  async listen(): Promise<AddressInfo> {
    const { host = '::', port = 0 } = this.#options
    try {
      await this.#bind(host, port)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // A machine without IPv6.
      if (host === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) await this.#bind('0.0.0.0', port)
      else {
        throw new BackendUnavailableError(`Port ${port} on ${host} cannot be listened on (${code}).`, {
          code: code === 'EADDRINUSE' ? 'BEAM_ERR_PORT_IN_USE' : 'BEAM_ERR_BACKEND_UNAVAILABLE',
          cause: error,
        })
      }
    }
    // Running out of file descriptors must not end the process; the next connection may succeed.
    this.#tcp.on('error', (error) => this.#options.logger.warn('listener', { error: error.message }))
    return this.#tcp.address() as AddressInfo
  }

  /** Accepts a link on a byte stream that somebody else has listened for. */
  accept(carrier: Duplex): void {
    this.#onConnection(carrier)
  }

  /** Links that are up. */
  get links(): readonly Link[] {
    return [...this.#links.values()]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links.values()) link.close({ reason: 'the publisher stopped' })
    // The farewell is said a turn later (`destroyLate`).
    await new Promise((resolve) => setImmediate(resolve))
    for (const connection of this.#connections) connection.destroy()
    if (!this.#tcp.listening) return
    this.#tcp.close()
    await once(this.#tcp, 'close')
  }

  async #bind(host: string, port: number): Promise<void> {
    this.#tcp.listen({ host, port, backlog: 511 })
    await once(this.#tcp, 'listening')
  }

  #onConnection(carrier: Duplex): void {
    carrier.on('error', () => {})
    this.#connections.add(carrier)
    carrier.once('close', () => this.#connections.delete(carrier))
    if (!(carrier instanceof Socket)) {
      this.#server.emit('connection', carrier)
      return
    }
    const place = placeOf(carrier)
    this.#handshaking.add(place, carrier)
    if (sideOnly in carrier) this.#noteSide(place, carrier)
    const { door } = this.#options
    const link = (): void => void this.#server.emit('connection', carrier)
    const side = (take: (connection: Duplex) => void): void => {
      this.#handshaking.settled(place)
      take(carrier)
    }
    if (door === undefined || !isPlainSocket(carrier)) link()
    else readGreeting(carrier, door, { link, side })
  }

  #noteSide(place: string, carrier: Socket): void {
    this.#sides.add(place)
    carrier.once('close', () => this.#sides.delete(place))
  }

  #onSecure(tls: TLSSocket): void {
    this.#handshaking.settled(placeOf(tls))
    tls.on('error', () => {})
    let peerKey: Buffer
    try {
      peerKey = provenKey(tls)
    } catch {
      tls.destroy()
      return
    }
    // A link there would seem to come from the relay.
    if (tls.alpnProtocol === LINK_PROTOCOL && this.#sides.has(placeOf(tls))) tls.destroy()
    else if (tls.alpnProtocol === LINK_PROTOCOL) this.#startLink(tls, peerKey)
    else this.#startPipe(tls, peerKey)
  }

  /** Room for one more link: the oldest one that carries nothing goes, so that nobody keeps others out by holding links. */
  #makeRoom(): boolean {
    if (this.#links.size < (this.#options.maxLinks ?? MAX_LINKS)) return true
    for (const [token, link] of this.#links) {
      if (link.openStreams > 0) continue
      this.#links.delete(token)
      link.close({ reason: 'room was needed for another link' })
      return true
    }
    return false
  }

  #startLink(tls: TLSSocket, peerKey: Buffer): void {
    if (!this.#makeRoom()) {
      this.#options.logger.warn('too many links at once', { links: this.#links.size })
      tls.destroy()
      return
    }
    const exportKey = (label: string, bytes: number): Buffer => tls.exportKeyingMaterial(bytes, label, Buffer.alloc(0))
    const token = exportKey(LINK_TOKEN_LABEL, LINK_TOKEN_BYTES).toString('hex')
    const asker: Asker = { peerKey, remoteAddress: tls.remoteAddress, exportKey }
    const session: ServerHttp2Session = destroyLate(performServerHandshake(tls, sessionOptions))
    const timer = setTimeout(() => session.destroy(), HANDSHAKE_TIMEOUT_MS)
    timer.unref()
    session.once('remoteSettings', () => clearTimeout(timer))
    const { judge, onStream, record, serve, logger } = this.#options
    const link = new Link(
      {
        session,
        connection: tls,
        peerKey,
        logger,
        judge: (headers) => judge(asker, headers),
        onStream: (stream, from) => onStream(stream, from, asker),
        ...(record !== undefined && { record }),
        ...(serve !== undefined && { serve }),
      },
      'acceptor',
    )
    this.#links.set(token, link)
    session.once('close', () => {
      clearTimeout(timer)
      this.#links.delete(token)
      tls.destroy()
    })
    logger.debug('link up', { from: sensitive(link.remoteAddress ?? '') })
  }

  /** A side channel says first which link and stream it belongs to. */
  #startPipe(tls: TLSSocket, peerKey: Buffer): void {
    const timer = setTimeout(() => tls.destroy(), HANDSHAKE_TIMEOUT_MS)
    timer.unref()
    tls.once('close', () => clearTimeout(timer))
    const place = placeOf(tls)
    this.#unclaimedPipes.add(place, tls)
    const onReadable = (): void => {
      const preamble = tls.read(PIPE_PREAMBLE_BYTES) as Buffer | null
      if (preamble === null) return
      clearTimeout(timer)
      this.#unclaimedPipes.settled(place)
      tls.off('readable', onReadable)
      const take = this.#options.door?.enter(preamble)
      if (take !== undefined) {
        take(tls)
        return
      }
      const link = this.#links.get(preamble.toString('hex', 0, LINK_TOKEN_BYTES))
      // Both were proved by TLS: the key, and by the token that it is this very link's dialler. After an end, less than was asked for is read.
      if (preamble.length < PIPE_PREAMBLE_BYTES || link === undefined || !link.peerKey.equals(peerKey)) tls.destroy()
      else link.acceptPipe(preamble.readUInt32BE(LINK_TOKEN_BYTES), tls)
    }
    tls.on('readable', onReadable)
  }
}

/** Where a connection comes from and goes to, which tells all that are open apart: those that this side dialled and handed in, too. */
function placeOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`
}
