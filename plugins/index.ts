/**
 * Beam as a library: publish local services through a peer-to-peer mesh and anonymity networks, and reach them.
 *
 * @example
 * import { createBeam } from 'beam-tunnel'
 *
 * await using beam = await createBeam()
 * const tunnel = await beam.publish(3000)
 * console.log(tunnel.snapshot().endpoints[0]?.address)
 * @packageDocumentation
 */
export { createBeam } from './create-beam.ts'
export { createBackend } from './create-backend.ts'
export type { BeamOptions } from './assemble.ts'
export type * from './beam.ts'
export { API_VERSION, definePlugin, type BeamPlugin, type JsonSchema, type PluginContext } from '../core/plugin.ts'
export * from '../core/errors.ts'
export type * from '../core/backend.ts'
export type * from '../core/powers.ts'
export type * from '../core/capabilities.ts'
export type * from '../core/tunnels/events.ts'
export type { DesignLatency, PrivacyBudget } from '../core/tunnels/choose.ts'
export type { HealthSettings } from '../core/tunnels/health-settings.ts'
export type { PlanRow, PlanUse, TunnelPlan } from '../core/tunnels/plan.ts'
export type { Logger, LogFields, LogLevel } from '../core/logger.ts'
export type { BeamPaths } from '../core/paths.ts'
export type { Clock } from '../core/clock.ts'
export { generateIdentity, identityFromSeed, type Identity } from '../core/identity/identity.ts'
export { InvalidConfigError, loadConfig, type BeamConfig, type BeamConfigInput, type LoadedConfig } from '../config/index.ts'
export * from './benchmark/index.ts'
