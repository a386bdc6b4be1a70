/** What a configuration file declares, in a form in which two readings of it can be compared. Pure. */
import type { BeamConfig } from '../../config/beam-config.generated.ts'
import { declaredServices } from '../input/declared-services.ts'
import type { Service } from '../publish-session.ts'

/** A declared tunnel. */
export interface Declared {
  readonly name: string
  readonly service: Service
  /** Changes with everything that its publication depends on: its own settings, and those of the networks it may use. */
  readonly key: string
  /** Changes with what a Beam instance that carries it has to be made with. */
  readonly settings: string
}

/** A reading of the file. */
export interface Declaration {
  readonly tunnels: ReadonlyMap<string, Declared>
  /** Changes with everything outside the list of tunnels. */
  readonly settings: string
}

/** What has to be done to get from one reading to the next. */
export interface Changes {
  readonly gone: readonly string[]
  readonly changed: readonly Declared[]
  readonly fresh: readonly Declared[]
}

/** Reads a configuration. */
export function declarationOf(config: BeamConfig): Declaration {
  const tunnels = declaredServices(config).map((service): [string, Declared] => {
    const { name } = service.options
    const settings = settingsFor(config, service.options.backends)
    return [name, { name, service, settings, key: JSON.stringify([service, settings]) }]
  })
  return {
    tunnels: new Map(tunnels),
    settings: settingsFor(
      config,
      config.backends.map(({ name }) => name),
    ),
  }
}

/** What is new in a reading, as against what runs: the keys by name. */
export function changesTo(declaration: Declaration, running: ReadonlyMap<string, string>): Changes {
  const declared = [...declaration.tunnels.values()]
  return {
    gone: [...running.keys()].filter((name) => !declaration.tunnels.has(name)),
    changed: declared.filter(({ name, key }) => running.has(name) && running.get(name) !== key),
    fresh: declared.filter(({ name }) => !running.has(name)),
  }
}

/** The settings that a tunnel on these backends (default: the enabled ones) depends on. */
function settingsFor({ backends, plugins, p2p, routing }: BeamConfig, names: readonly string[] | undefined): string {
  const used = backends.filter(({ name, enabled }) => (names === undefined ? enabled : names.includes(name)))
  return JSON.stringify({ used, plugins, p2p, routing })
}
