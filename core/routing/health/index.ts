export { Ewma } from './ewma.ts'
export { PathHealth } from './path-health.ts'
export { nextProbeMs } from './probe-schedule.ts'
