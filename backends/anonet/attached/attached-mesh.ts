import { networkInterfaces } from 'node:os'
import { existsSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { BackendUnavailableError, isBeamError, type BeamPaths, type Clock, type Logger } from '../../../core/index.ts'
import { BirdClient } from '../bird/client.ts'
import { readBfdSessions, readProtocols, readRoutes, type BirdProtocol } from '../bird/tables.ts'
import { DIAL_LIMIT_MS } from '../constants.ts'
import { addressNumber, covers, parsePrefix, prefixText, type Prefix } from '../mesh-address.ts'
import { friendsSentence, sessionsOf, type Mesh, type MeshHealth } from '../mesh.ts'
import { Announcement, sweepAnnouncements } from './announcement.ts'
import { chooseAddress, meshAddresses } from './find-address.ts'
import { wireguardStates } from './wireguard-states.ts'

/** Where BIRD's control socket is, by distribution. */
const BIRD_SOCKETS = ['/run/bird/bird.ctl', '/var/run/bird.ctl', '/usr/local/var/run/bird.ctl']
/** Routes that are shown: a terminal has no use for more. */
const MAX_ROUTES = 500

/** What an attached mesh is made of. */
export interface AttachedParts {
  readonly range: Prefix
  readonly address: string | undefined
  /** What is announced when nobody announces the address. Default: the address alone. */
  readonly prefix: Prefix | undefined
  readonly birdSocket: string | undefined
  readonly paths: BeamPaths
  readonly clock: Clock
  readonly logger: Logger
}

/** Whether there is a mesh on this machine that could be attached to. */
export function meshIsHere({ range, birdSocket }: Pick<AttachedParts, 'range' | 'birdSocket'>): boolean {
  return meshAddresses(networkInterfaces(), range).length > 0 || (birdSocket !== undefined && existsSync(birdSocket))
}

/** A mesh that was there before Beam and stays after it: Beam uses an address of it, and announces it when nobody does. */
export class AttachedMesh implements Mesh {
  readonly address: string
  version: string | undefined
  onLost: () => void = () => {}
  onRestart: () => void = () => {}
  readonly #parts: AttachedParts
  readonly #socket: string
  #client: BirdClient | undefined
  #announcement: Announcement | undefined

  private constructor(parts: AttachedParts, address: string, socket: string) {
    this.#parts = parts
    this.address = address
    this.#socket = socket
  }

  /** @throws BackendUnavailableError saying what is missing */
  static async start(parts: AttachedParts, { signal }: { readonly signal?: AbortSignal } = {}): Promise<AttachedMesh> {
    const address = chooseAddress(meshAddresses(networkInterfaces(), parts.range), parts.address, parts.range)
    const socket = parts.birdSocket ?? BIRD_SOCKETS.find((path) => existsSync(path))
    if (socket === undefined) {
      throw new BackendUnavailableError('BIRD does not run here, as far as can be seen.', {
        hint: `Start it, or say where its control socket is (birdSocket in the configuration of anonet). Looked for: ${BIRD_SOCKETS.join(', ')}.`,
      })
    }
    const mesh = new AttachedMesh(parts, address, socket)
    try {
      await mesh.#sweep()
      if (!(await mesh.#isAnnounced())) await mesh.#announce()
      signal?.throwIfAborted()
      return mesh
    } catch (error) {
      await mesh[Symbol.asyncDispose]()
      throw error
    }
  }

  async health(): Promise<MeshHealth> {
    try {
      const sessions = sessionsOf(await this.#protocols())
      const up = sessions.filter(({ established }) => established).length
      if (sessions.length === 0) return { reachable: false, reason: 'BIRD has no session with anybody', sessions }
      if (up === 0) return { reachable: false, reason: 'all sessions with friends are down', sessions }
      if (!(await this.#isAnnounced())) return { reachable: false, reason: `nobody announces ${this.address}`, sessions }
      return { reachable: true, reason: friendsSentence(up), sessions }
    } catch (error) {
      return { reachable: false, reason: error instanceof Error ? error.message : String(error), sessions: [] }
    }
  }

  listen(port: number): Promise<Server> {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true })
      server.once('error', reject)
      server.listen({ host: this.address, port }, () => {
        server.off('error', reject)
        resolve(server)
      })
    })
  }

  connect(host: string, port: number, signal: AbortSignal | undefined): Promise<Socket> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      // From the mesh's own address: nobody there has a way back to another one.
      const socket = connect({ host, port, localAddress: this.address, allowHalfOpen: true, noDelay: true })
      const cancel = this.#parts.clock.after(DIAL_LIMIT_MS, () =>
        socket.destroy(Object.assign(new Error('nobody answers'), { code: 'ETIMEDOUT' })),
      )
      const onAbort = (): void => {
        cancel()
        socket.off('error', onError)
        socket.on('error', () => {}).destroy()
        reject(signal?.reason)
      }
      const onError = (error: Error): void => {
        cancel()
        signal?.removeEventListener('abort', onAbort)
        reject(error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      socket.once('error', onError)
      socket.once('connect', () => {
        cancel()
        signal?.removeEventListener('abort', onAbort)
        socket.off('error', onError)
        resolve(socket)
      })
    })
  }

  async status(): Promise<Readonly<Record<string, unknown>>> {
    const client = await this.#connected()
    const [protocols, bfd, routes] = await Promise.all([
      client.ask('show protocols'),
      client.ask('show bfd sessions'),
      client.ask('show route'),
    ])
    const wireguard = await wireguardStates()
    return {
      mode: 'attach',
      address: this.address,
      bird: client.version,
      announcedByBeam: this.#announcement !== undefined,
      sessions: sessionsOf(readProtocols(protocols)),
      bfd: readBfdSessions(bfd),
      routes: readRoutes(routes)
        .slice(0, MAX_ROUTES)
        .map(({ prefix, protocol, primary, originAs }) => ({
          prefix,
          via: protocol,
          primary,
          ...(originAs !== undefined && { originAs }),
        })),
      wireguard,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const announcement = this.#announcement
    this.#announcement = undefined
    await announcement?.withdraw(await this.#changing().catch(() => undefined))
    this.#client?.[Symbol.dispose]()
  }

  async #isAnnounced(): Promise<boolean> {
    const client = await this.#connected()
    const routes = readRoutes(await client.ask(`show route for ${this.address} primary`))
    if (routes.length === 0) return false
    // A route that came from a friend is somebody else's announcement of this address, or of a larger network.
    const types = new Map((await this.#protocols()).map(({ name, type }) => [name, type]))
    return routes.some(
      ({ prefix, protocol }) => types.get(protocol) === 'Static' || (types.get(protocol) === 'Direct' && holds(prefix, this.address)),
    )
  }

  /** A Beam that was killed may have left an announcement. Who may not change BIRD has left none. */
  async #sweep(): Promise<void> {
    const client = await this.#changing()
    try {
      await sweepAnnouncements(client, this.#parts.paths)
    } finally {
      client[Symbol.dispose]()
    }
  }

  async #announce(): Promise<void> {
    const base = addressNumber(this.address) ?? 0
    const prefix = this.#parts.prefix ?? { base, length: 32 }
    const client = await this.#changing()
    try {
      this.#announcement = await Announcement.make({ client, paths: this.#parts.paths, prefix })
      this.#parts.logger.info('announced through BIRD', { prefix: prefixText(prefix) })
    } catch (error) {
      if (!isBeamError(error)) throw error
      throw new BackendUnavailableError(`Nobody announces ${this.address} in the mesh, and Beam could not: ${error.message}`, {
        hint: error.hint,
        cause: error,
      })
    } finally {
      client[Symbol.dispose]()
    }
  }

  async #protocols(): Promise<BirdProtocol[]> {
    return readProtocols(await (await this.#connected()).ask('show protocols'))
  }

  /** For looking only: BIRD itself refuses changes on it. */
  async #connected(): Promise<BirdClient> {
    if (this.#client === undefined || this.#client.closed) {
      this.#client = await BirdClient.connect(this.#socket, { clock: this.#parts.clock, readOnly: true })
      this.version = `BIRD ${this.#client.version}`
    }
    return this.#client
  }

  #changing(): Promise<BirdClient> {
    return BirdClient.connect(this.#socket, { clock: this.#parts.clock })
  }
}

function holds(prefix: string, address: string): boolean {
  const outer = parsePrefix(prefix)
  return outer !== undefined && covers(outer, { base: addressNumber(address) ?? 0, length: 32 })
}
