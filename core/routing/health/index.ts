export { CircuitBreaker, type BreakerOptions, type BreakerState } from './circuit-breaker.ts'
export { Ewma } from './ewma.ts'
export { PathHealth, type HealthFigures, type HealthOptions, type Observer } from './path-health.ts'
export { nextProbeMs, type ProbeRhythm } from './probe-schedule.ts'
