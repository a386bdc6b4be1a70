import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls'
import { BackendUnavailableError, isBeamError, TimeoutError, UnreachableError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import type { Logger } from '../logger.ts'
import {
  HANDSHAKE_TIMEOUT_MS,
  HEAVY_RELAYED_BYTES,
  LINK_PROTOCOL,
  LINK_TOKEN_BYTES,
  LINK_TOKEN_LABEL,
  PIPE_PREAMBLE_BYTES,
} from './constants.ts'
import { destroyLate } from './late-destroy.ts'
import { Link, type LinkParts } from './link.ts'
import type { PipeCarrier } from './pipe-half.ts'
import { pipeReader, type PipeReader } from './pipe-reader.ts'
import { sessionOptions } from './session-options.ts'
import { provenKey, requireKey, tlsContextOptions } from './tls.ts'
import { Unblocked } from './unblocked.ts'

/** Where and as whom a link is dialled. */
export interface DialLinkOptions {
  /** A TCP address, or a byte stream that leads to the far end already. */
  readonly to: { readonly host: string; readonly port: number } | Duplex
  /** The key that the far end must hold. */
  readonly expectedKey: Uint8Array
  /** Our key: a throw-away one unless the far end has to know us. */
  readonly identity: Identity
  readonly logger: Logger
  readonly signal?: AbortSignal
  /** For links that are turned round: what the far end may ask of us. */
  readonly judge?: LinkParts['judge']
  readonly onStream?: LinkParts['onStream']
  /** For a link on a byte stream: opens another one that leads to the same far end, for a heavy stream. */
  readonly side?: (signal: AbortSignal) => Promise<Duplex>
}

/** A dialled link, with what its TLS connection derives secrets from. */
export interface DialledLink {
  readonly link: Link
  /** Keying material of the connection (RFC 8446 section 7.5): the same at both ends, unknown to everybody else. */
  readonly exportKey: (label: string, bytes: number) => Buffer
}

/**
 * Dials a link and checks who answers. Nothing is sent before the far end has proved its key.
 * @throws UnreachableError (`BEAM_ERR_PEER_UNREACHABLE`, `BEAM_ERR_KEY_MISMATCH`), TimeoutError, BackendUnavailableError (no socket to be had)
 */
export async function dialLink(options: DialLinkOptions): Promise<DialledLink> {
  options.signal?.throwIfAborted()
  const context = createSecureContext(tlsContextOptions(options.identity))
  const tls = await secure(options, context, LINK_PROTOCOL)
  if (tls.alpnProtocol !== LINK_PROTOCOL) {
    tls.destroy()
    throw new UnreachableError('The far end does not speak the link protocol.', { retry: 'never' })
  }
  const token = tls.exportKeyingMaterial(LINK_TOKEN_BYTES, LINK_TOKEN_LABEL, Buffer.alloc(0))
  const exportKey = (label: string, bytes: number): Buffer => tls.exportKeyingMaterial(bytes, label, Buffer.alloc(0))
  const connection = new Unblocked(tls)
  const session = await startSession(connection, options.signal)
  // It may have been broken or ended right behind its first word.
  if (session.destroyed || session.closed) {
    session.destroy()
    throw new UnreachableError('The far end closed the connection.')
  }
  const { to, side } = options
  const another = isStream(to) ? side : (): Promise<DialLinkOptions['to']> => Promise.resolve(to)
  const parts: LinkParts = {
    session,
    connection: tls,
    askRoom: (bytes, go) => connection.ask(bytes, go),
    peerKey: Buffer.from(options.expectedKey),
    logger: options.logger,
    ...(another !== undefined && {
      openPipe: async (streamId: number, signal: AbortSignal) =>
        openPipe({ ...options, to: await another(signal), signal }, context, token, streamId),
    }),
    ...(isStream(to) && { heavyBytes: HEAVY_RELAYED_BYTES }),
    ...(options.judge !== undefined && { judge: options.judge }),
    ...(options.onStream !== undefined && { onStream: options.onStream }),
  }
  return { link: new Link(parts, 'dialler'), exportKey }
}

/**
 * A connection to the far end that is no link. It has to begin with what the far end was told to expect.
 * @throws as `dialLink` does
 */
export function dialSide(options: Omit<DialLinkOptions, 'side' | 'judge' | 'onStream'>): Promise<Duplex> {
  return secure(options, createSecureContext(tlsContextOptions(options.identity)), undefined)
}

/** A TLS connection to the far end, its key checked. */
function secure(options: DialLinkOptions, context: SecureContext, protocol: string | undefined, reader?: PipeReader): Promise<TLSSocket> {
  const { to, expectedKey, signal } = options
  return new Promise((resolve, reject) => {
    const tls = connectTls({
      ...(isStream(to) ? { socket: to as Socket } : { host: to.host, port: to.port }),
      ...(reader !== undefined && { onread: reader.onread }),
      secureContext: context,
      rejectUnauthorized: false,
      // No server name: the network need not know what is asked for.
      servername: '',
      ...(protocol !== undefined && { ALPNProtocols: [protocol] }),
    } as ConnectionOptions)
    const carrier: Duplex = isStream(to) ? to : tls
    if (carrier === tls) {
      // `tls.connect` knows no option for these two.
      tls.setNoDelay(true)
      tls.setKeepAlive(true)
    }
    const timer = setTimeout(() => fail(new TimeoutError(`No answer within ${HANDSHAKE_TIMEOUT_MS / 1000} s.`)), HANDSHAKE_TIMEOUT_MS)
    const onAbort = (): void => fail(signal?.reason)
    const onError = (error: NodeJS.ErrnoException): void => fail(dialFailure(error))
    const onClose = (): void => fail(new UnreachableError('The far end closed the connection.'))
    function settle(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      tls.off('close', onClose)
    }
    function fail(reason: unknown): void {
      settle()
      carrier.on('error', () => {})
      tls.destroy()
      carrier.destroy()
      reject(reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    carrier.once('error', onError)
    tls.once('error', onError)
    tls.once('close', onClose)
    tls.once('secureConnect', () => {
      try {
        requireKey(provenKey(tls), expectedKey)
      } catch (error) {
        fail(error)
        return
      }
      settle()
      carrier.off('error', onError)
      tls.off('error', onError)
      tls.on('error', () => {})
      carrier.on('error', () => {})
      resolve(tls)
    })
  })
}

/** HTTP/2 on the connection; resolves with the far end's settings, which also show that it accepted us. */
function startSession(connection: Unblocked, signal?: AbortSignal): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = destroyLate(connectHttp2('https://beam', { createConnection: () => connection, ...sessionOptions }))
    const timer = setTimeout(() => fail(new TimeoutError('The far end did not start the session in time.')), HANDSHAKE_TIMEOUT_MS)
    const onAbort = (): void => fail(signal?.reason)
    const onError = (error: Error): void => fail(new UnreachableError('The session with the far end failed.', { cause: error }))
    const onClose = (): void => fail(new UnreachableError('The far end closed the connection.'))
    function settle(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      session.off('close', onClose)
    }
    function fail(reason: unknown): void {
      settle()
      session.destroy()
      connection.destroy()
      reject(reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    session.on('error', onError)
    session.once('close', onClose)
    session.once('remoteSettings', () => {
      settle()
      // The listener for errors stays: what breaks the session before a link listens must not end the process.
      resolve(session)
    })
  })
}

async function openPipe(options: DialLinkOptions, context: SecureContext, token: Buffer, streamId: number): Promise<PipeCarrier> {
  // Node reads into memory of ours only straight from the system.
  const reader = isStream(options.to) ? undefined : pipeReader()
  const tls = await secure(options, context, undefined, reader)
  const preamble = Buffer.alloc(PIPE_PREAMBLE_BYTES)
  token.copy(preamble)
  preamble.writeUInt32BE(streamId, LINK_TOKEN_BYTES)
  tls.write(preamble)
  return { connection: tls, ...(reader !== undefined && { readInto: (sink) => reader.start(tls, sink) }) }
}

function isStream(to: DialLinkOptions['to']): to is Duplex {
  return typeof (to as Duplex).pipe === 'function'
}

/** Errors of sockets that are ours, not theirs. */
const OUR_SIDE = new Set(['EMFILE', 'ENFILE', 'ENETUNREACH', 'EACCES', 'EPERM', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])

function dialFailure(error: NodeJS.ErrnoException): Error {
  // What carries the link (a relay) says better why it does not.
  if (isBeamError(error)) return error
  const code = error.code ?? ''
  if (OUR_SIDE.has(code)) return new BackendUnavailableError(`No connection can be made from here (${code}).`, { cause: error })
  return new UnreachableError(`The far end cannot be reached (${code === '' ? error.message : code}).`, { cause: error })
}
