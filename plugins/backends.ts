import type { DependencyContainer } from 'tsyringe'
import type { BackendEntry, LoadedConfig } from '../config/index.ts'
import {
  API_VERSION,
  byLatency,
  InternalError,
  isBeamError,
  type BackendHandle,
  type BeamPlugin,
  type Candidate,
  type NetworkBackend,
  type PlanCandidate,
} from '../core/index.ts'
import { BackendSlot } from './backend-slot.ts'
import type { BackendSummary } from './beam.ts'
import { executableBackend } from './executable/index.ts'
import { networkOf } from './known-addresses.ts'
import type { PluginHost } from './plugin-host.ts'
import type { BackendRegistry } from './registry.ts'

/** A backend that was left out of a chain, and why. */
export interface LeftOut {
  readonly backend: string
  readonly error: Error
}

/** How a backend is made. */
interface Plan {
  readonly plugin: BeamPlugin
  readonly config: Readonly<Record<string, unknown>>
  readonly folder?: string | undefined
  readonly executable: boolean
}

/** The backends of a Beam instance as its configuration names them. */
export class Backends {
  readonly #host: PluginHost
  readonly #registry: BackendRegistry
  readonly #config: LoadedConfig
  readonly #root: DependencyContainer

  constructor(components: {
    readonly host: PluginHost
    readonly registry: BackendRegistry
    readonly config: LoadedConfig
    readonly root: DependencyContainer
  }) {
    this.#root = components.root
    this.#host = components.host
    this.#registry = components.registry
    this.#config = components.config
  }

  /**
   * A backend by name, made but not started.
   * @throws ConfigError (`BEAM_ERR_BACKEND_UNKNOWN`), BackendUnavailableError (`BEAM_ERR_BACKEND_NOT_INSTALLED`), PluginError
   */
  async use(name: string): Promise<BackendHandle> {
    const known = this.#registry.existing(name)
    if (known !== undefined) return known
    const { plugin, config, folder, executable } = await this.#plan(name)
    const slot = this.#registry.slot({ plugin, config, folder })
    // An executable tells what it can do when it runs; until then nothing could be decided about exposure.
    if (executable) await slot.ready()
    void slot.backend
    return slot
  }

  /** A backend of its own, made but not started, which the caller ends. Errors as above. */
  async make(name: string): Promise<NetworkBackend> {
    const { plugin, config } = await this.#plan(name)
    return new BackendSlot({ plugin, config, root: this.#root }).backend
  }

  /**
   * The chain of a tunnel: the named backends, else the enabled ones by priority. A name that does not exist is an error; a backend that
   * cannot be made is left out as long as another one is there.
   */
  async chain(names?: readonly string[]): Promise<{ readonly chain: readonly BackendHandle[]; readonly leftOut: readonly LeftOut[] }> {
    const chain: BackendHandle[] = []
    const leftOut: LeftOut[] = []
    for (const backend of new Set(names ?? this.#enabled().map(({ name }) => name))) {
      try {
        chain.push(await this.use(backend))
      } catch (error) {
        if (names !== undefined && isMistake(error)) throw error
        leftOut.push({ backend, error: error as Error })
      }
    }
    if (chain.length === 0 && leftOut[0] !== undefined) throw leftOut[0].error
    return { chain, leftOut }
  }

  /**
   * What is known, without starting anything, of the backends that a tunnel may use: the named ones, else the enabled ones by priority, and
   * with `all` those that are installed besides and not declared, in the order of the latency that they declare.
   * Errors as `chain`.
   */
  async known(names: readonly string[] | undefined, { all }: { readonly all: boolean }): Promise<readonly PlanCandidate[]> {
    const first = names ?? this.#enabled().map(({ name }) => name)
    // Who is declared and not enabled was switched off on purpose.
    const declared = this.#config.config.backends.map(({ name }) => name)
    const others = names === undefined && all ? this.#host.names().filter((name) => !declared.includes(name)) : []
    const candidates = async (list: readonly string[], named: boolean): Promise<PlanCandidate[]> =>
      Promise.all([...new Set(list)].map((name) => this.#knownOf(name, named)))
    const [preferred, further] = await Promise.all([candidates(first, names !== undefined), candidates(others, false)])
    const able = further.filter((one): one is Required<Omit<PlanCandidate, 'problem'>> => one.capabilities !== undefined)
    return [...preferred, ...byLatency(able), ...further.filter(({ capabilities }) => capabilities === undefined)]
  }

  /** Who may be asked about an address, in order: the named backend, or the one that the address belongs to by its form, or all. */
  async candidates(address: string, backend?: string): Promise<readonly Candidate[]> {
    const only = backend ?? networkOf(address)
    if (only !== undefined) {
      await this.use(only)
      return [this.#candidate(only, true)]
    }
    const enabled = this.#enabled().map(({ name }) => name)
    const others = [...this.#config.config.backends.map(({ name }) => name), ...this.#host.names()]
    return [...new Set([...enabled, ...others])].map((name) => this.#candidate(name, enabled.includes(name)))
  }

  /** Where addresses may be used that were not typed but found: on the named backends, else on the enabled ones. */
  async extra(names?: readonly string[]): Promise<readonly Candidate[]> {
    for (const name of names ?? []) await this.use(name)
    return [...new Set(names ?? this.#enabled().map(({ name }) => name))].map((name) => this.#candidate(name, true))
  }

  /** All backends: those of the configuration and those that are installed. */
  async list(): Promise<readonly BackendSummary[]> {
    const entries = new Map(this.#config.config.backends.map((entry) => [entry.name, entry]))
    const names = [...new Set([...entries.keys(), ...this.#host.names(), ...this.#host.failures.map(({ backend }) => backend)])]
    return Promise.all(names.map((name) => this.#summary(name, entries.get(name))))
  }

  async #knownOf(name: string, named: boolean): Promise<PlanCandidate> {
    try {
      const running = this.#registry.existing(name)
      if (running === undefined && (await this.#plan(name)).executable) {
        return { name, problem: 'it is an executable, which tells what it can do when it runs' }
      }
      return { name, capabilities: (running ?? (await this.use(name))).capabilities }
    } catch (error) {
      if (named && isMistake(error)) throw error
      return { name, problem: (error as Error).message }
    }
  }

  async #plan(name: string): Promise<Plan> {
    const failure = this.#host.failureOf(name)
    if (failure !== undefined) throw failure
    const entry = await this.#config.useBackend(name)
    if (entry.command !== undefined) {
      return { plugin: executable(entry, entry.command, this.#config.folder), config: entry.config, executable: true }
    }
    const loaded = await this.#host.find(name)
    if (loaded === undefined) throw new InternalError(`The backend ${name} has a configuration but no plugin.`)
    return { plugin: loaded.plugin, config: entry.config, folder: loaded.folder, executable: false }
  }

  #candidate(name: string, resolves: boolean): Candidate {
    return { name, resolves, load: () => this.use(name) }
  }

  #enabled(): BackendEntry[] {
    return this.#config.config.backends.filter(({ enabled }) => enabled).toSorted((a, b) => a.priority - b.priority)
  }

  async #summary(name: string, entry: BackendEntry | undefined): Promise<BackendSummary> {
    const source =
      entry?.command === undefined
        ? (this.#host.sourceOf(name) ?? this.#host.failures.find(({ backend }) => backend === name)?.source)
        : 'executable'
    const common = { name, enabled: entry?.enabled ?? false, priority: entry?.priority ?? 100, source: source ?? 'not installed' }
    try {
      // Asking an executable would start it; what it can do is known once something uses it.
      const running = this.#registry.existing(name)
      const handle = entry?.command === undefined ? await this.use(name) : running
      const description = entry?.command === undefined ? (await this.#host.find(name))?.plugin.description : entry.command.join(' ')
      const status = await this.#registry.status(name)
      return {
        ...common,
        ...(description === undefined ? {} : { description }),
        ...(handle === undefined ? {} : { capabilities: handle.capabilities }),
        ...(status === undefined ? {} : { status }),
      }
    } catch (error) {
      return { ...common, problem: (error as Error).message }
    }
  }
}

/** An executable of the configuration as a plugin. */
function executable(
  { name }: BackendEntry,
  command: readonly string[],
  cwd: string,
): BeamPlugin<Readonly<Record<string, unknown>>> & BeamPlugin {
  return {
    name,
    apiVersion: API_VERSION,
    configSchema: { type: 'object' },
    create: ({ config, ...context }) =>
      executableBackend({ name, command, cwd, config: config as Readonly<Record<string, unknown>> }, context),
  }
}

/** Whether an error is the user's slip, which must not be passed over silently. */
function isMistake(error: unknown): boolean {
  return (
    isBeamError(error) &&
    (error.code === 'BEAM_ERR_BACKEND_UNKNOWN' || error.code === 'BEAM_ERR_BACKEND_NOT_INSTALLED' || error.code === 'BEAM_ERR_CONFIG')
  )
}
