import { join } from 'node:path'
import type { BeamPaths } from '../../core/paths.ts'

/** The daemon's log file; older ones are beside it as `daemon.log.1` (the newest) to `.3`. */
export function logPath({ state }: Pick<BeamPaths, 'state'>): string {
  return join(state, 'daemon.log')
}
