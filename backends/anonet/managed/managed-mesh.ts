import type { Server, Socket } from 'node:net'
import {
  backoffDelayMs,
  BackendUnavailableError,
  isBeamError,
  sleep,
  tryProcessLock,
  type BeamPaths,
  type Clock,
  type Logger,
  type Progress,
} from '../../../core/index.ts'
import { WATCH_MS } from '../constants.ts'
import { friendsSentence, sessionsOf, type Mesh, type MeshHealth } from '../mesh.ts'
import type { Prefix } from '../mesh-address.ts'
import type { Timing } from './bird-config.ts'
import type { CircleStore } from './circle-store.ts'
import type { Circle, Friend } from './friend.ts'
import { InsideProcess } from './inside-process.ts'
import { birdOf, insideLink, interfaceOf } from './layout.ts'
import { managedStatus } from './managed-status.ts'
import { readMeshPlace, removeMeshPlace, writeMeshPlace } from './mesh-place.ts'
import { nodeAddress, type Plan } from './plan.ts'
import { findUplink, joinCommand, namespaceCommand } from './privileges.ts'
import type { InsideState, Uplink } from './protocol.ts'
import { openUdp } from './udp-port.ts'

/** A port that was just given back may be held for a moment, by a process that is ending. */
const PORT_ATTEMPTS = 20
const PORT_WAIT_MS = 150
/** Who keeps the mesh is ready, or gone, within seconds. */
const JOIN_ATTEMPTS = 60
const JOIN_WAIT_MS = 250
/** How soon the namespace is made anew when it was lost. */
const RESTART = { baseMs: 1_000, maxMs: 30_000 }

/** What a mesh of Beam's own is made of. */
export interface ManagedParts {
  readonly store: CircleStore
  readonly planOf: (circle: Circle) => Plan
  readonly range: Prefix
  readonly timing: Timing
  readonly paths: BeamPaths
  readonly clock: Clock
  readonly logger: Logger
}

/** A mesh that Beam keeps itself: WireGuard and BIRD in a network namespace of their own, which ends with Beam. */
export class ManagedMesh implements Mesh {
  readonly address: string
  readonly plan: Plan
  version: string | undefined
  onLost: () => void = () => {}
  onRestart: () => void = () => {}
  readonly #parts: ManagedParts
  readonly #known = new Set<string>()
  #uplink: Uplink = 'direct'
  /** Held by the one Beam of a user that keeps the namespace; the others are its guests. */
  #lock: AsyncDisposable | undefined
  #inside: InsideProcess | undefined
  #circle: Circle
  #applied = ''
  #applying: Promise<void> | undefined
  #stopWatch: () => void = () => {}
  #ending = false

  private constructor(parts: ManagedParts, circle: Circle) {
    this.#parts = parts
    this.#circle = circle
    this.plan = parts.planOf(circle)
    this.address = nodeAddress(this.plan.prefix)
  }

  /** @throws BackendUnavailableError saying what is missing and what grants it */
  static async start(
    parts: ManagedParts,
    options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void } = {},
  ): Promise<ManagedMesh> {
    const { signal, onProgress } = options
    const circle = await parts.store.open()
    signal?.throwIfAborted()
    const mesh = new ManagedMesh(parts, circle)
    try {
      await mesh.#bringUp(onProgress, signal)
      signal?.throwIfAborted()
    } catch (error) {
      await mesh[Symbol.asyncDispose]()
      throw signal?.aborted === true ? signal.reason : readable(error)
    }
    mesh.#stopWatch = parts.clock.every(WATCH_MS, () => void mesh.#refresh())
    return mesh
  }

  async health(): Promise<MeshHealth> {
    try {
      const { protocols, birdVersion } = await this.#running().ask<InsideState>({ op: 'state' })
      this.version = `BIRD ${birdVersion}`
      const sessions = sessionsOf(protocols)
      const up = sessions.filter(({ established }) => established).length
      if (up > 0) return { reachable: true, reason: friendsSentence(up), sessions }
      const reason = sessions.length === 0 ? 'no friends yet: beam anonet invite' : 'no friend answers at present'
      return { reachable: false, reason, sessions }
    } catch (error) {
      return { reachable: false, reason: error instanceof Error ? error.message : String(error), sessions: [] }
    }
  }

  listen(port: number): Promise<Server> {
    return this.#running().listen(this.address, port)
  }

  connect(host: string, port: number, signal: AbortSignal | undefined): Promise<Socket> {
    return this.#running().connect(host, port, signal)
  }

  async status(): Promise<Readonly<Record<string, unknown>>> {
    const state = await this.#running().ask<InsideState>({ op: 'state' })
    return managedStatus({
      state,
      friends: this.#circle.friends,
      plan: this.plan,
      address: this.address,
      uplink: this.#uplink,
      nowMs: this.#parts.clock.now(),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true
    this.#stopWatch()
    await this.#inside?.stop()
    await this.#applying?.catch(() => {})
    if (this.#lock !== undefined) await removeMeshPlace(this.#parts.paths)
    await this.#lock?.[Symbol.asyncDispose]()
  }

  /** Keeps the namespace, or is a guest in the one that another Beam of this user keeps. */
  async #bringUp(onProgress?: (progress: Progress) => void, signal?: AbortSignal): Promise<void> {
    const { paths, store } = this.#parts
    for (let attempt = 1; ; attempt++) {
      if (this.#lock === undefined) {
        const result = await tryProcessLock(paths, `anonet mesh ${store.file}`)
        if ('lock' in result) this.#lock = result.lock
        else if (attempt > JOIN_ATTEMPTS) throw taken(result.heldBy)
      }
      const inside = this.#lock === undefined ? await this.#join() : await this.#keep(onProgress)
      if (inside !== undefined) return void inside.ended.then(() => this.#restart(inside))
      // The other one is still starting, or just ending.
      await sleep(JOIN_WAIT_MS, { signal })
    }
  }

  async #keep(onProgress?: (progress: Progress) => void): Promise<InsideProcess> {
    onProgress?.({ phase: 'namespace', percent: 20, message: 'Making a network namespace of its own …' })
    this.#uplink = await findUplink()
    const inside = new InsideProcess((program) => namespaceCommand(this.#uplink, program))
    this.#inside = inside
    this.#known.clear()
    await inside.ask({ op: 'setup', address: this.address, uplink: this.#uplink })
    onProgress?.({ phase: 'links', percent: 60, message: 'Starting WireGuard and BIRD …' })
    await this.#apply(inside)
    await writeMeshPlace(this.#parts.paths, { uplink: this.#uplink, pid: await inside.firstPid() })
    return inside
  }

  async #join(): Promise<InsideProcess | undefined> {
    const place = await readMeshPlace(this.#parts.paths)
    if (place === undefined) return undefined
    const inside = new InsideProcess((program) => joinCommand(place, program))
    this.#inside = inside
    this.#uplink = place.uplink
    try {
      await inside.ask({ op: 'state' })
      return inside
    } catch {
      await inside.stop()
      return undefined
    }
  }

  #running(): InsideProcess {
    if (this.#inside === undefined) throw new BackendUnavailableError('The mesh is not running.')
    return this.#inside
  }

  async #apply(inside: InsideProcess): Promise<void> {
    const { store, range, timing } = this.#parts
    const version = await store.version()
    this.#circle = (await store.read()) ?? this.#circle
    const { friends } = this.#circle
    for (const friend of friends.filter((each) => !this.#known.has(interfaceOf(each)))) await this.#claimPort(friend, inside)
    await inside.ask({ op: 'apply', links: friends.map(insideLink), bird: birdOf(friends, { plan: this.plan, range, timing }) })
    this.#known.clear()
    for (const friend of friends) this.#known.add(interfaceOf(friend))
    this.#applied = version
  }

  /** A command may have changed the list of friends. */
  async #refresh(): Promise<void> {
    if (this.#applying !== undefined || this.#ending) return
    this.#applying = (async () => {
      if ((await this.#parts.store.version()) === this.#applied) return
      // A guest has nothing to set up, but is asked for the friends' names.
      if (this.#lock === undefined) this.#circle = (await this.#parts.store.read()) ?? this.#circle
      else await this.#apply(this.#running())
    })()
    try {
      await this.#applying
    } catch (error) {
      if (!this.#ending) this.#parts.logger.warn('the list of friends could not be applied', { reason: (error as Error).message })
    } finally {
      this.#applying = undefined
    }
  }

  /** The port that the friend was told must be free: passed inside, or seen to be free for WireGuard outside. */
  async #claimPort(friend: Friend, inside: InsideProcess): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (this.#uplink === 'relayed') await inside.offer(interfaceOf(friend), friend.listenPort)
        else (await openUdp(friend.listenPort)).close()
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
        if (attempt === PORT_ATTEMPTS) throw portTaken(friend)
        await sleep(PORT_WAIT_MS)
      }
    }
  }

  async #restart(lost: InsideProcess): Promise<void> {
    if (!this.#ending && this.#inside === lost) this.onLost()
    for (let attempt = 0; !this.#ending && this.#inside === lost; attempt++) {
      this.#parts.logger.warn('the namespace of the mesh has ended; it is made anew')
      await sleep(backoffDelayMs(attempt, RESTART))
      if (this.#ending) return
      try {
        await this.#bringUp()
        this.onRestart()
        return
      } catch (error) {
        this.#parts.logger.warn('the namespace of the mesh could not be made', { reason: (error as Error).message })
        await this.#inside.stop()
        lost = this.#inside
      }
    }
  }
}

function taken(pid: number): BackendUnavailableError {
  return new BackendUnavailableError(
    `Another Beam process${pid > 0 ? ` (${pid})` : ''} keeps your mesh of friends, and it can be kept once.`,
    {
      hint: 'Let the daemon carry all of it: beam daemon start, then the same command again.',
    },
  )
}

function portTaken({ listenPort, name, id }: Friend): BackendUnavailableError {
  return new BackendUnavailableError(`UDP port ${listenPort}, at which ${name ?? id} reaches you, is taken by another process.`, {
    code: 'BEAM_ERR_PORT_IN_USE',
    hint: `End the other process (sudo ss -lupn 'sport = ${listenPort}' shows it), or revoke this friend and invite anew.`,
  })
}

function readable(error: unknown): unknown {
  return isBeamError(error)
    ? error
    : new BackendUnavailableError(`The mesh cannot be started: ${(error as Error).message}.`, { cause: error })
}
