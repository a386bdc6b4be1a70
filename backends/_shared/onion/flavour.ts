import type { Logger } from '../../../core/index.ts'

/** What one network of this kind has of its own: the daemons are the same program under different names. */
export interface Flavour {
  /** Name of the backend: `tor`, `ator`. */
  readonly backend: string
  /** The network's name for people. */
  readonly title: string
  /** Name of the daemon's program. */
  readonly program: string
  /** What `--version` says before the version: `Tor`, `Anon`. */
  readonly versionWord: string
  /** The word in the daemon's options for its configuration file: `--defaults-torrc`, `--defaults-anonrc`. */
  readonly rc: string
  /** Last label of addresses: `onion`, `anon`. It is part of their checksum. */
  readonly suffix: string
  /** Names that the daemon knows besides the addresses made of keys, without suffix. */
  readonly fixedNames: readonly string[]
  /** Lines that every configuration file has. */
  readonly lines: readonly string[]
  /** Said once when an own daemon is started. */
  readonly notice?: { readonly code: string; readonly message: string }
  /** Folder of a data directory below the user's data folder. */
  readonly folder: string
  /** Programs to try after PATH, by platform. */
  places(): readonly string[]
  /** How to install the program here, one sentence. */
  readonly install: string
}

/** The oldest daemon that can do what Beam asks of it: client authorization in ADD_ONION came with 0.4.6. */
export const OLDEST_VERSION = [0, 4, 6] as const
/** Below this the network's own project gives no support any more. */
export const SUPPORTED_VERSION = [0, 4, 8] as const

/** The figures of a version such as `0.4.9.11-live`; undefined when it is none. */
export function parseVersion(text: string): readonly number[] | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?/.exec(text)
  return match === null ? undefined : match.slice(1).flatMap((figure) => (figure === undefined ? [] : [Number(figure)]))
}

/** Whether a version is older than another. */
export function olderThan(version: readonly number[], other: readonly number[]): boolean {
  for (const [index, figure] of other.entries()) {
    const ours = version[index] ?? 0
    if (ours !== figure) return ours < figure
  }
  return false
}

/** A logger for one part of a network's backend. */
export function partLogger(logger: Logger, flavour: Flavour, part: string): Logger {
  return logger.child({ network: flavour.backend, part })
}
