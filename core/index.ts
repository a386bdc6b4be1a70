/**
 * The domain of Beam: the backend contract, links, records, tunnels. It knows no network by name.
 * @packageDocumentation
 */
export * from './backend.ts'
export * from './capabilities.ts'
export * from './errors.ts'
export { systemClock, sleep, type Clock } from './clock.ts'
export { CleanupStack } from './cleanup.ts'
export { backoffDelayMs, type BackoffOptions } from './backoff.ts'
export { silentLogger, type Logger, type LogFields, type LogLevel } from './logger.ts'
export { sensitive } from './sensitive.ts'
export type { BeamPaths } from './paths.ts'
export { API_VERSION, definePlugin, type BeamPlugin, type JsonSchema, type PluginContext } from './plugin.ts'
export * from './identity/identity.ts'
export * from './identity/address.ts'
export * from './streams/index.ts'
export * from './identity/certificate.ts'
export type * from './tunnels/events.ts'
export type * from './mesh/discovery.ts'
