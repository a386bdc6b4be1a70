export { PathMeter } from './path-meter.ts'
export { race, type Contender } from './race.ts'
export { scores, type PathFigures } from './score.ts'
export { WeightedSpread } from './spread.ts'
