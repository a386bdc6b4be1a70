import { join } from 'node:path'
import { beamPaths, type BeamConfig } from '../../config/index.ts'
import { CleanupStack, ConfigError, isBeamError, type BeamPaths } from '../../core/index.ts'
import { assemble, type BeamOptions, type Parts } from '../assemble.ts'
import { plainProxy } from './controls.ts'
import { environmentNow, loadNow } from './environment.ts'
import { hidesOf, NetworkRecord, openNetwork } from './network.ts'
import { Origin } from './origin.ts'
import { Payload } from './payload.ts'
import { ProcessBook, processSource } from './processes.ts'
import type { BenchmarkNetwork, BenchmarkPhase, BenchmarkReport } from './report.generated.ts'
import { figuresOf, notApart } from './report.ts'
import { measureRound, Round, type RoundSetup, type Subject } from './round.ts'
import { verdictOf, type BenchmarkLimits } from './verdict.ts'

/** Least rounds: fewer say nothing about how much the figures scatter. */
export const MIN_ROUNDS = 3
/** Owner of the processes that belong to no network; no backend has such a name. */
const NOBODY = ''
/** Controls get this part of a network's time: they are fast, and their figures scatter little. */
const CONTROL_SHARE = 0.25

/** How networks are compared. Everything but `home` has a default. */
export interface BenchmarkOptions extends BenchmarkLimits {
  /** Networks to compare. Default: the enabled ones of the configuration, by priority. */
  readonly backends?: readonly string[]
  /** Folder for keys and state of both ends; the caller removes it afterwards. Its path is to be short (sockets). */
  readonly home: string
  /** How long each network is measured, over all rounds and without its set-up. Default: 60 s. */
  readonly durationMs?: number
  /** Turns of each network. Default and least: 3. */
  readonly rounds?: number
  /** Requests per second of the open loop. Default: 10. */
  readonly ratePerSecond?: number
  /** Limit of one request or transfer. Default: 60 s. */
  readonly timeoutMs?: number
  /** Limit for bringing up one network. Default: 5 minutes. */
  readonly setupLimitMs?: number
  /** Where the configuration comes from, and further plugins. */
  readonly beam?: Pick<BeamOptions, 'config' | 'configFile' | 'folder' | 'logger' | 'env' | 'plugins'>
  readonly onProgress?: (progress: BenchmarkProgress) => void
  /** Ends it in order: the report then holds what was measured so far. */
  readonly signal?: AbortSignal
}

/** How far a benchmark is. */
export type BenchmarkProgress =
  | { readonly step: 'setup'; readonly backend: string; readonly phase?: BenchmarkPhase }
  | { readonly step: 'ready'; readonly backend: string; readonly ms: number }
  | { readonly step: 'failed'; readonly backend: string; readonly message: string }
  | { readonly step: 'round'; readonly subject: string; readonly round: number; readonly rounds: number }

/** A benchmark. Disposing ends the networks that it brought up; the report is there before. */
export interface Benchmark extends AsyncDisposable {
  /** Brings the networks up, one after the other, and measures them in turns. Rejects only when nothing can be measured at all. */
  run(): Promise<BenchmarkReport>
}

/** One network while it is compared. */
interface Contender {
  readonly name: string
  readonly record: NetworkRecord
  readonly rounds: Round[]
  subject?: Subject
  problem?: NonNullable<BenchmarkNetwork['problem']>
}

/**
 * Prepares the comparison of networks: both ends of each in this process, with identities of their own, and a test service on loopback.
 * @throws ConfigError when a setting is out of its range
 *
 * @example
 * await using benchmark = openBenchmark({ backends: ['mesh'], durationMs: 10_000, home })
 * const report = await benchmark.run()
 */
export function openBenchmark(options: BenchmarkOptions): Benchmark {
  const { rounds = MIN_ROUNDS } = options
  if (!Number.isInteger(rounds) || rounds < MIN_ROUNDS)
    throw new ConfigError(`${rounds} rounds are too few: at least ${MIN_ROUNDS} are needed to see how much the figures scatter.`)
  return new Comparison(options)
}

class Comparison implements Benchmark {
  readonly #options: BenchmarkOptions
  readonly #rounds: number
  readonly #durationMs: number
  readonly #cleanup = new CleanupStack()
  /** Fires with the caller's signal, and when this is disposed of. */
  readonly #ending = new AbortController()
  readonly #signal: AbortSignal

  constructor(options: BenchmarkOptions) {
    this.#options = options
    this.#rounds = options.rounds ?? MIN_ROUNDS
    this.#durationMs = options.durationMs ?? 60_000
    this.#signal = AbortSignal.any([this.#ending.signal, ...(options.signal === undefined ? [] : [options.signal])])
  }

  async run(): Promise<BenchmarkReport> {
    const environment = environmentNow()
    const { ratePerSecond = 10, timeoutMs = 60_000 } = this.#options
    const parts = await assemble({ ...this.#options.beam })
    this.#cleanup.defer(() => parts.registry[Symbol.asyncDispose]())
    const payload = new Payload()
    const origin = await Origin.listen(payload)
    this.#cleanup.defer(() => origin[Symbol.asyncDispose]())
    const proxy = await plainProxy(origin.port)
    this.#cleanup.defer(() => proxy[Symbol.asyncDispose]())
    const source = await processSource()
    const book = source === undefined ? undefined : new ProcessBook(source)
    // What runs by now belongs to no network.
    await book?.usage(NOBODY)

    const controls = [
      { name: 'direct' as const, port: origin.port, rounds: [] as Round[] },
      { name: 'proxy' as const, port: proxy.port, rounds: [] as Round[] },
    ]
    const contenders = (await this.#names(parts)).map((name): Contender => ({ name, record: new NetworkRecord(), rounds: [] }))
    let roundsDone = 0
    try {
      for (const contender of contenders) await this.#bringUp(contender, { parts, origin, payload, book })
      const setup = { origin, payload, book, ratePerSecond, timeoutMs, signal: this.#signal }
      const turns = [
        ...controls.map(({ rounds, ...subject }) => ({ subject, rounds, share: CONTROL_SHARE })),
        ...contenders.flatMap(({ subject, rounds }) => (subject === undefined ? [] : [{ subject, rounds, share: 1 }])),
      ]
      for (; roundsDone < this.#rounds; roundsDone += 1) {
        // Each round begins with another one, so that what comes at the beginning of a round meets nobody every time.
        const order = turns.map((_, index) => turns[(index + roundsDone) % turns.length]).filter((turn) => turn !== undefined)
        for (const turn of order) await this.#turn(turn, roundsDone, setup)
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error
    }
    const backends = await Promise.all(contenders.map((contender) => this.#network(contender, parts, book?.memoryKind)))
    return {
      schema: 'beam.bench/1',
      interrupted: this.#signal.aborted,
      environment: { ...environment, loadAfter: loadNow() },
      settings: { durationMs: this.#durationMs, rounds: this.#rounds, roundsDone, ratePerSecond, timeoutMs },
      controls: controls.map(({ name, rounds }) => ({ name, figures: figuresOf(rounds, book?.memoryKind) })),
      backends,
      notes: notApart(backends),
      verdict: verdictOf(backends, this.#options),
    }
  }

  /** @throws ConfigError (`BEAM_ERR_BACKEND_UNKNOWN`) for a slip of the pen; what is known but cannot be used becomes a row. */
  async #names({ backends, config }: Parts): Promise<readonly string[]> {
    const enabled = config.config.backends.filter(({ enabled }) => enabled).toSorted((a, b) => a.priority - b.priority)
    const names = [...new Set(this.#options.backends ?? enabled.map(({ name }) => name))]
    for (const name of names) {
      if (isExecutable(name, config.config)) continue
      await backends.use(name).catch((error: unknown) => {
        if (isBeamError(error) && error.code === 'BEAM_ERR_BACKEND_UNKNOWN') throw error
      })
    }
    return names
  }

  async #bringUp(
    contender: Contender,
    { parts, origin, payload, book }: { parts: Parts; origin: Origin; payload: Payload; book: ProcessBook | undefined },
  ): Promise<void> {
    const { name, record } = contender
    const { onProgress, setupLimitMs = 300_000, home, beam: { logger, env } = {} } = this.#options
    onProgress?.({ step: 'setup', backend: name })
    try {
      const found = await parts.host.find(name)
      const network = await openNetwork(
        {
          backend: name,
          // With the configuration as it stands: complete, and with the plugin in hand, which the ends' own folders do not have.
          beam: {
            config: configFor(name, parts.config.config),
            folder: parts.config.folder,
            // A network that is not declared has its settings from the environment alone.
            ...(env === undefined ? {} : { env }),
            plugins: found === undefined || found.source === 'built-in' ? [] : [found.plugin],
            ...(logger === undefined ? {} : { logger }),
          },
          paths: pathsOf(home),
          origin,
          payload,
          limitMs: setupLimitMs,
          onPhase: (phase) => onProgress?.({ step: 'setup', backend: name, phase }),
          signal: this.#signal,
        },
        record,
      )
      this.#cleanup.defer(() => network[Symbol.asyncDispose]())
      contender.subject = network
      await book?.usage(name)
      onProgress?.({ step: 'ready', backend: name, ms: record.times.firstByteMs ?? 0 })
    } catch (error) {
      this.#signal.throwIfAborted()
      contender.problem = problemOf(error)
      onProgress?.({ step: 'failed', backend: name, message: contender.problem.message })
    }
  }

  async #turn(
    { subject, rounds, share }: { subject: Subject; rounds: Round[]; share: number },
    at: number,
    setup: Omit<RoundSetup, 'durationMs'>,
  ): Promise<void> {
    this.#options.onProgress?.({ step: 'round', subject: subject.name, round: at + 1, rounds: this.#rounds })
    const round = new Round()
    rounds.push(round)
    await measureRound(subject, round, { ...setup, durationMs: (this.#durationMs / this.#rounds) * share })
  }

  async #network(
    { name, record, rounds, problem }: Contender,
    { backends, config }: Parts,
    memoryKind: 'pss' | 'rss' | undefined,
  ): Promise<BenchmarkNetwork> {
    const stated = isExecutable(name, config.config)
      ? undefined
      : await backends.use(name).then(
          (handle) => handle.capabilities,
          () => undefined,
        )
    const capabilities = record.capabilities ?? stated
    const { version, path, times, phases, warnings } = record
    return {
      name,
      ...(version === undefined ? {} : { version }),
      ...(capabilities === undefined ? {} : { hides: hidesOf(capabilities, record) }),
      ...(path === undefined ? {} : { path: { kind: path.kind, hops: path.hops } }),
      ...(phases.length + Object.keys(times).length === 0 ? {} : { setup: { ...times, phases } }),
      ...(rounds.length === 0 ? {} : { figures: figuresOf(rounds, memoryKind) }),
      ...(problem === undefined ? {} : { problem }),
      warnings,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('the benchmark was ended'))
    await this.#cleanup[Symbol.asyncDispose]()
  }
}

/** What the ends of one network need of the configuration. */
function configFor(name: string, { backends, ...rest }: BeamConfig): BeamConfig {
  const entry = backends.find((one) => one.name === name) ?? { name, enabled: true, priority: 1, config: {} }
  return { ...rest, backends: [entry], tunnels: [], plugins: [] }
}

/** Whether a backend is a program of its own: to ask what it can do is to start it. */
function isExecutable(name: string, { backends }: Pick<BeamConfig, 'backends'>): boolean {
  return backends.find((entry) => entry.name === name)?.command !== undefined
}

/** Folders of the two ends; what processes of one user share they share too. */
function pathsOf(home: string): { readonly publisher: BeamPaths; readonly visitor: BeamPaths } {
  const common = beamPaths({ BEAM_HOME: home })
  const end = (name: string): BeamPaths => ({ ...common, data: join(home, name, 'data'), state: join(home, name, 'state') })
  return { publisher: end('publisher'), visitor: end('visitor') }
}

function problemOf(error: unknown): NonNullable<BenchmarkNetwork['problem']> {
  const attempts = (error as Error).cause instanceof AggregateError ? ((error as Error).cause as AggregateError).errors : []
  const message = [error, ...attempts].map((one) => (one instanceof Error ? one.message : String(one))).join(' ')
  if (!isBeamError(error)) return { code: 'BEAM_ERR_INTERNAL', message }
  return { code: error.code, message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
}
