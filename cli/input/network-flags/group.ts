import type { Command } from '@oclif/core/command'

/** Flags as oclif takes them. No defaults: a flag that nobody typed must be absent. */
export type FlagDefinitions = Record<string, Command.Flag.Any>

/** The values of the flags that were typed, by name. */
export type FlagValues = Readonly<Record<string, unknown>>

/** Options that only one network knows, as its backend takes them. */
export type NetworkOptions = Readonly<Record<string, unknown>>

/**
 * The flags of one network, or of several that share them. They are offered by `beam expose` and `beam connect`; typed without one of the
 * networks being used, they are an error. Names are unique over all groups, and those that take a value stand in FLAGS_WITH_VALUE too.
 */
export interface NetworkFlags {
  /** The backends that understand them. */
  readonly backends: readonly string[]
  /** Flags that choose a backend by themselves, as `--tor` does: name of the flag → backend. They stand in `publish` too. */
  readonly selects?: Readonly<Record<string, string>>
  /** Flags that make Beam read HTTP, for headers that tell a service of its visitors. They stand in `publish` too. */
  readonly readsHttp?: readonly string[]
  /** Flags about a published tunnel. */
  readonly publish?: FlagDefinitions
  /** What they make of `PublishOptions.network[backend]`. Errors: ConfigError (`BEAM_ERR_USAGE`). */
  publishOptions?(flags: FlagValues): NetworkOptions | Promise<NetworkOptions>
  /** Flags about a visit. */
  readonly dial?: FlagDefinitions
  /** What they make of `ConnectOptions.network[backend]`. Errors as above. */
  dialOptions?(flags: FlagValues): NetworkOptions | Promise<NetworkOptions>
  /** Flags about the network itself, of both commands: for settings that all tunnels of a process share. */
  readonly settings?: FlagDefinitions
  /** A network whose settings are of use without a tunnel on it: typed then, they bring its node up beside the tunnel. */
  readonly joins?: true
  /** What the flags, also those of `publish` and `dial`, make of settings: variables of the backend's schema (`x-env`) → texts. Lists as JSON. */
  environment?(flags: FlagValues, backend: string): Readonly<Record<string, string>>
}

/** The flags of a set that were typed. */
export function typed(definitions: FlagDefinitions | undefined, flags: FlagValues): string[] {
  return Object.keys(definitions ?? {}).filter((name) => flags[name] !== undefined)
}
