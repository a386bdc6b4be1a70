import { setTimeout as delay } from 'node:timers/promises'
import { CleanupStack, isBeamError, TimeoutError, type BackendCapabilities, type BeamPaths, type Path } from '../../core/index.ts'
import type { BeamOptions } from '../assemble.ts'
import type { BackendSummary, Beam, Connection } from '../beam.ts'
import { createBeam } from '../create-beam.ts'
import { exchange } from './exchange.ts'
import type { Origin } from './origin.ts'
import type { Payload } from './payload.ts'
import type { BenchmarkHides, BenchmarkPhase, BenchmarkSetup } from './report.generated.ts'
import type { Subject } from './round.ts'

/** Rests between looks whether the network is up: they grow with the time that has passed, up to a twentieth of a second. */
const LOOK_MS = { share: 0.1, least: 2, most: 50 } as const
/** Rest between two attempts to reach what was just published: descriptors and records need their time to spread. */
const AGAIN_MS = 1_000
/** Phases and warnings that are kept; a network that tells of every percent of several things stays below. */
const MAX_PHASES = 200
const MAX_WARNINGS = 10

/** A network between two Beam instances with identities and folders of their own. */
export interface NetworkSetup {
  readonly backend: string
  /** What both instances are made with. */
  readonly beam: Omit<BeamOptions, 'paths'>
  readonly paths: { readonly publisher: BeamPaths; readonly visitor: BeamPaths }
  readonly origin: Origin
  readonly payload: Payload
  /** Limit of the whole, in milliseconds. */
  readonly limitMs: number
  readonly onPhase?: (phase: BenchmarkPhase) => void
  readonly signal: AbortSignal
}

/** What was found out about a network while it came up. Filled on the way, so that a failure leaves what there is. */
export class NetworkRecord {
  readonly phases: BenchmarkPhase[] = []
  readonly warnings: string[] = []
  readonly times: Omit<BenchmarkSetup, 'phases'> = {}
  version: string | undefined
  capabilities: BackendCapabilities | undefined
  path: Path | undefined
  publisherReveals: readonly string[] = []
  visitorReveals: readonly string[] = []
}

/** A network that is up; disposing ends both instances. */
export type OpenNetwork = Subject & AsyncDisposable

/**
 * Publishes the origin on one network, reaches it from another instance and waits for its first byte.
 * @throws BeamError of whatever failed, TimeoutError after the limit, the signal's reason
 */
export async function openNetwork(setup: NetworkSetup, record: NetworkRecord): Promise<OpenNetwork> {
  const { backend, paths, payload, limitMs } = setup
  const limit = AbortSignal.timeout(limitMs)
  const signal = AbortSignal.any([setup.signal, limit])
  await using cleanup = new CleanupStack()
  try {
    const [publisher, visitor] = [await instance(setup, paths.publisher, cleanup), await instance(setup, paths.visitor, cleanup)]
    const start = performance.now()
    const elapsed = (): number => performance.now() - start
    const address = await publish(publisher, { setup, record, signal, elapsed })
    const connection = await reach(visitor, address, { setup, record, signal, elapsed })
    record.times.reachableMs = elapsed()
    record.path = connection.path
    record.visitorReveals = connection.reveals
    const { port } = connection
    for (;;) {
      const outcome = await exchange({ port, payload, bytes: 1, timeoutMs: limitMs - elapsed(), signal })
      if (outcome.kind === 'done') break
      await delay(AGAIN_MS, undefined, { signal })
    }
    record.times.firstByteMs = elapsed()
    const summary = await summaryOf(publisher, backend)
    record.version = summary?.status?.version
    record.capabilities = summary?.capabilities
    const rest = cleanup.move()
    return { name: backend, port, [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose]() }
  } catch (error) {
    setup.signal.throwIfAborted()
    if (!limit.aborted) throw error
    const last = isBeamError(error) ? error.message : record.phases.at(-1)?.message
    throw new TimeoutError(`${backend} was not usable within ${Math.round(limitMs / 1_000)} s${last === undefined ? '.' : `: ${last}`}`, {
      hint: 'Give it more time with --setup-limit.',
      cause: error,
    })
  }
}

interface Progressing {
  readonly setup: NetworkSetup
  readonly record: NetworkRecord
  readonly signal: AbortSignal
  readonly elapsed: () => number
}

async function instance({ beam }: NetworkSetup, paths: BeamPaths, cleanup: CleanupStack): Promise<Beam> {
  const made = await createBeam({ ...beam, paths })
  cleanup.defer(() => made[Symbol.asyncDispose]())
  return made
}

async function publish(publisher: Beam, { setup, record, signal, elapsed }: Progressing): Promise<string> {
  const { backend, origin } = setup
  // Loads the code of the backends, which is no part of a network's start.
  await publisher.backends()
  const watching = new AbortController()
  const up = whenUp(publisher, backend, { elapsed, signal: AbortSignal.any([signal, watching.signal]) }).then(
    () => (record.times.networkUpMs ??= elapsed()),
    () => {},
  )
  try {
    const tunnel = await publisher.publish(
      { host: '127.0.0.1', port: origin.port },
      {
        backends: [backend],
        signal,
        onEvent: (event) => {
          if (event.event === 'progress') tell({ setup, record, signal, elapsed }, 'publisher', event)
          if (event.event === 'address') record.times.addressMs ??= elapsed()
          if (event.event === 'warning') warn(record, event.message)
        },
      },
    )
    record.times.publishedMs = elapsed()
    const [endpoint] = tunnel.snapshot().endpoints
    record.publisherReveals = endpoint?.reveals ?? []
    return endpoint?.address ?? ''
  } finally {
    watching.abort()
    await up
  }
}

/** Tries until it works or the time is up: what was just published need not be found at once. The last failure is the cause then. */
async function reach(visitor: Beam, address: string, { setup, record, signal, elapsed }: Progressing): Promise<Connection> {
  for (;;) {
    try {
      return await visitor.connect(address, {
        backend: setup.backend,
        signal,
        onEvent: (event) => {
          if (event.event === 'progress') tell({ setup, record, signal, elapsed }, 'visitor', event)
          if (event.event === 'warning') warn(record, event.message)
        },
      })
    } catch (error) {
      if (signal.aborted || !isBeamError(error) || error.retry === 'never' || error.kind === 'config') throw error
      await delay(AGAIN_MS, undefined, { signal }).catch(() => Promise.reject(error))
    }
  }
}

function tell(
  { setup, record, elapsed }: Progressing,
  end: BenchmarkPhase['end'],
  { phase, percent, message }: { readonly phase: string; readonly percent?: number; readonly message: string },
): void {
  const told = { end, phase, atMs: elapsed(), ...(percent === undefined ? {} : { percent }), message }
  if (record.phases.length < MAX_PHASES) record.phases.push(told)
  setup.onPhase?.(told)
}

function warn({ warnings }: NetworkRecord, message: string): void {
  if (warnings.length < MAX_WARNINGS && !warnings.includes(message)) warnings.push(message)
}

async function whenUp(beam: Beam, backend: string, { elapsed, signal }: Pick<Progressing, 'elapsed' | 'signal'>): Promise<void> {
  const { share, least, most } = LOOK_MS
  for (;;) {
    const state = (await summaryOf(beam, backend))?.status?.state
    if (state === 'running' || state === 'degraded') return
    await delay(Math.min(most, Math.max(least, elapsed() * share)), undefined, { signal })
  }
}

async function summaryOf(beam: Beam, backend: string): Promise<BackendSummary | undefined> {
  return (await beam.backends()).find(({ name }) => name === backend)
}

/** What a network hides, as it says itself and as its addresses turned out. */
export function hidesOf(
  { anonymityLevel, censorshipResistance, exposesPublisherIp, exposesVisitorIp }: BackendCapabilities,
  { publisherReveals, visitorReveals }: NetworkRecord,
): BenchmarkHides {
  return {
    anonymity: anonymityLevel,
    censorshipResistance,
    publisherIpHidden: !exposesPublisherIp,
    visitorIpHidden: !exposesVisitorIp,
    publisherReveals: [...publisherReveals],
    visitorReveals: [...visitorReveals],
  }
}
