import { isAbsolute, join } from 'node:path'
import { beamPaths, loadConfig } from '../config/index.ts'
import { localBlock, type LocalBlock } from '../config/local-block.ts'
import { CleanupStack, silentLogger, systemClock, type BeamPlugin, type PluginContext } from '../core/index.ts'
import type { ConformanceFixture } from '../core/testing/index.ts'
import type { BeamOptions } from './assemble.ts'
import { BackendSlot } from './backend-slot.ts'
import { createContainer } from './container.ts'
import { executableBackend, type ExecutableOptions } from './executable/index.ts'
import { watchFaults, type FaultKind } from './faults.ts'
import { loadPlugin } from './load-plugin.ts'
import { PluginHost } from './plugin-host.ts'
import { findPlugin } from './plugin-source.ts'

/** An executable's streams cross two processes more than loopback alone. */
const EXECUTABLE_TIME_SCALE = 3

/** What is tested, and how. */
export interface BenchOptions extends Pick<BeamOptions, 'logger' | 'env'> {
  /** A throw-away folder for keys and state of the two ends. */
  readonly home: string
  /** Leave the settings for finding others as they are. Default: those that the backend's schema gives for this machine alone. */
  readonly network?: boolean
  /** Multiplies every limit of time. Default: 1; 3 for executables. */
  readonly timeScale?: number
  /** Ends the preparation. */
  readonly signal?: AbortSignal
  /** Told of what the plugin threw where nobody could catch it. */
  readonly onFault?: (error: unknown, kind: FaultKind) => void
}

/** A backend that is ready for the conformance suite. Disposing ends the watch over its faults. */
export interface Bench extends AsyncDisposable {
  readonly fixture: ConformanceFixture
  /** The settings that keep it on this machine; empty where the schema names none or the network was allowed. */
  readonly local: LocalBlock['settings']
}

interface Subject {
  readonly name: string
  readonly plugin?: BeamPlugin
  readonly folder?: string
}

/**
 * Prepares a backend of the configuration, or a plugin's folder (`./my-backend`), for the conformance suite: two of them, with its
 * configured settings and folders of their own that share what processes of one user share.
 * @throws ConfigError, InvalidConfigError, PluginError, BackendUnavailableError
 */
export async function openBench(what: string, options: BenchOptions): Promise<Bench> {
  const { home, network = false, env = process.env, logger = silentLogger, signal, onFault = () => {} } = options
  const subject = await subjectOf(what)
  const plugins = subject.plugin === undefined ? [] : [subject.plugin]
  const host = new PluginHost({ paths: beamPaths(env), logger, plugins })
  const loaded = await loadConfig({ schemaOf: host.schemaOf, knownBackends: host.knownBackends, failures: host.failures, env })
  const failure = host.failureOf(subject.name)
  if (failure !== undefined && subject.plugin === undefined) throw failure
  const entry = await loaded.useBackend(subject.name)
  const plugin = entry.command === undefined ? (await host.find(subject.name))?.plugin : undefined
  const { block, settings } =
    network || plugin === undefined ? { block: entry.config, settings: [] } : localBlock(plugin.configSchema, entry.config)
  const contextOf = (end: string): Omit<PluginContext, 'config'> => {
    const paths = { ...beamPaths({ BEAM_HOME: home }), data: join(home, end, 'data'), state: join(home, end, 'state') }
    return { logger, clock: systemClock, paths }
  }
  const making =
    plugin === undefined
      ? await makeExecutables(
          { name: entry.name, command: entry.command ?? [], cwd: loaded.folder, config: entry.config },
          contextOf,
          signal,
        )
      : makePlugins(plugin, block, contextOf)
  const cleanup = new CleanupStack()
  const folder = subject.folder ?? (await host.find(subject.name))?.folder
  if (folder !== undefined) cleanup.defer(watchFaults({ name: subject.name, folder, onFault }))
  const timeScale = options.timeScale ?? (entry.command === undefined ? 1 : EXECUTABLE_TIME_SCALE)
  const fixture: ConformanceFixture = { name: entry.name, timeScale, ...making }
  return { fixture, local: settings, [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose]() }
}

type Making = Pick<ConformanceFixture, 'create' | 'pair' | 'cannot'>
type ContextOf = (end: string) => Omit<PluginContext, 'config'>

function makePlugins(plugin: BeamPlugin, config: Readonly<Record<string, unknown>>, contextOf: ContextOf): Making {
  const make = (end: string) => () => new BackendSlot({ plugin, config, root: createContainer(contextOf(end)) }).backend
  return { create: make('publisher'), pair: make('visitor') }
}

/** What an executable can do is asked of it once, so that it is held to it from then on. */
async function makeExecutables(options: ExecutableOptions, contextOf: ContextOf, signal: AbortSignal | undefined): Promise<Making> {
  await using asked = executableBackend(options, contextOf('publisher'))
  await asked.initialize(signal === undefined ? {} : { signal })
  const { maxThroughput, ...told } = asked.getCapabilities()
  const capabilities = { ...told, maxThroughput: Number.isFinite(maxThroughput) ? maxThroughput : null }
  const make = (end: string) => () => executableBackend({ ...options, capabilities }, contextOf(end))
  const cannot = { 'capabilities-no-io': 'an executable tells what it can do when it runs; it was asked once before' }
  return { create: make('publisher'), pair: make('visitor'), cannot }
}

/** Where a plugin's folder was named, its plugin. */
async function subjectOf(what: string): Promise<Subject> {
  if (!/^\.{1,2}(?:[/\\]|$)/.test(what) && !isAbsolute(what)) return { name: what }
  const found = await findPlugin(what, { folder: process.cwd(), installed: process.cwd() })
  const plugin = await loadPlugin(found)
  return { name: plugin.name, plugin, folder: found.folder }
}
