export { Ewma } from './ewma.ts'
export type { BreakerState } from './circuit-breaker.ts'
export { PathHealth, type HealthFigures } from './path-health.ts'
export { nextProbeMs } from './probe-schedule.ts'
