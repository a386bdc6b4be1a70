import { ConfigError, type BackendCapabilities } from '../../core/index.ts'
import type { Method, Methods } from './messages.ts'
import { configProblem } from './schema.ts'

/** A backend that is an executable. */
export interface ExecutableOptions {
  /** Short lower-case name, unique among the loaded backends. */
  readonly name: string
  /** The program and its arguments; no shell is involved. */
  readonly command: readonly string[]
  /** Working directory of the program. Default: that of this process. */
  readonly cwd?: string
  /** Environment variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** The backend's own configuration block, handed over unread. */
  readonly config?: Readonly<Record<string, unknown>>
  /**
   * What the executable will answer to `capabilities` (null throughput: only the machine limits it), so that it is known before anything
   * runs. Another answer is an error. Absent = {@link UNKNOWN_CAPABILITIES} until `initialize`.
   */
  readonly capabilities?: Methods['capabilities']['result']
  /** Longest waits by method, where the defaults do not fit the network. */
  readonly timeLimitsMs?: Partial<Record<Method, number>>
}

/** Refuses options that are wrong. @throws ConfigError */
export function assertOptions(options: ExecutableOptions): void {
  const wrong = configProblem(options)
  if (wrong !== undefined) throw new ConfigError(`The executable backend “${options.name}” is configured wrongly: ${wrong}.`)
}

/**
 * What counts until the executable has told its capabilities: the least that a backend can do and the most that it can reveal, so that
 * no decision made too early can expose anybody.
 */
export const UNKNOWN_CAPABILITIES: BackendCapabilities = {
  supportsDomains: false,
  supportsIPv6: false,
  maxThroughput: Infinity,
  anonymityLevel: 'none',
  censorshipResistance: 'none',
  delivery: 'stream',
  exposesPublisherIp: true,
  exposesVisitorIp: true,
  persistentAddresses: false,
  accessControl: false,
}

/** Capabilities as the core knows them, without members that it does not know. */
export function readCapabilities(told: Methods['capabilities']['result']): BackendCapabilities {
  return {
    supportsDomains: told.supportsDomains,
    supportsIPv6: told.supportsIPv6,
    maxThroughput: told.maxThroughput ?? Infinity,
    anonymityLevel: told.anonymityLevel,
    censorshipResistance: told.censorshipResistance,
    delivery: told.delivery,
    exposesPublisherIp: told.exposesPublisherIp,
    exposesVisitorIp: told.exposesVisitorIp,
    persistentAddresses: told.persistentAddresses,
    accessControl: told.accessControl,
    ...(told.relays === undefined ? {} : { relays: told.relays }),
    ...(told.holdMs === undefined ? {} : { holdMs: told.holdMs }),
  }
}
