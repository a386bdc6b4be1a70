// tsyringe refuses to load without it, also where no decorator is used; nobody else imports either for its effects.
import 'reflect-metadata'
import { container, instanceCachingFactory, type DependencyContainer } from 'tsyringe'
import type { BeamPaths, Clock, Logger, PluginContext } from '../core/index.ts'
import { boundedLogger } from './bounded-logger.ts'
import { tokens } from './tokens.ts'

/** The services that all plugins share. */
export interface Services {
  readonly logger: Logger
  readonly clock: Clock
  readonly paths: BeamPaths
}

/** The container of one Beam instance. The global one stays empty, so that two instances in a process know nothing of each other. */
export function createContainer({ logger, clock, paths }: Services): DependencyContainer {
  const root = container.createChildContainer()
  root.register(tokens.Logger, { useValue: logger })
  root.register(tokens.Clock, { useValue: clock })
  root.register(tokens.Paths, { useValue: paths })
  return root
}

/** The scope of one plugin: what it sees is its own configuration, a logger with its name, and the shared services. */
export function pluginScope(root: DependencyContainer, plugin: string, config: Readonly<Record<string, unknown>>): DependencyContainer {
  const scope = root.createChildContainer()
  scope.register(tokens.PluginConfig, { useValue: config })
  scope.register(tokens.Logger, {
    useFactory: instanceCachingFactory(() => boundedLogger(root.resolve(tokens.Logger).child({ plugin }), root.resolve(tokens.Clock))),
  })
  return scope
}

/** What a plugin is handed: values from its scope, never the container. */
export function pluginContext(scope: DependencyContainer): PluginContext {
  return {
    config: scope.resolve(tokens.PluginConfig),
    logger: scope.resolve(tokens.Logger),
    clock: scope.resolve(tokens.Clock),
    paths: scope.resolve(tokens.Paths),
  }
}
