import type { InjectionToken } from 'tsyringe'
import type { BeamPaths, Clock, Logger } from '../core/index.ts'

/** What the container holds. `Symbol.for` keeps a token the same across two installed copies; the cast gives `resolve` its type. */
export const tokens = {
  /** In a plugin's scope: with the plugin's name in every line. */
  Logger: Symbol.for('beam.Logger') as InjectionToken<Logger>,
  Clock: Symbol.for('beam.Clock') as InjectionToken<Clock>,
  Paths: Symbol.for('beam.Paths') as InjectionToken<BeamPaths>,
  /** In a plugin's scope only: its own validated block. */
  PluginConfig: Symbol.for('beam.PluginConfig') as InjectionToken<Readonly<Record<string, unknown>>>,
} as const
