import type { BenchmarkProgress } from '../../plugins/benchmark/index.ts'
import { timeText } from './benchmark-figures.ts'
import { foreignText } from './foreign-text.ts'

/** Lines that tell how far a benchmark is; the same phase of a network is told once. */
export function progressText(): (progress: BenchmarkProgress) => string {
  let last = ''
  const once = (line: string): string => {
    if (line === last) return ''
    last = line
    return `${line}\n`
  }
  return (progress) => {
    switch (progress.step) {
      case 'setup': {
        const { backend, phase } = progress
        return once(phase === undefined ? `${backend}: coming up` : `${backend}: ${foreignText(phase.message)}`)
      }
      case 'ready':
        return once(`${progress.backend}: first byte after ${timeText(progress.ms)}`)
      case 'failed':
        return once(`${progress.backend}: cannot be measured. ${foreignText(progress.message)}`)
      case 'round':
        return once(`Round ${progress.round} of ${progress.rounds}: ${progress.subject}`)
    }
  }
}
