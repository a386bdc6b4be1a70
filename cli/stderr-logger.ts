import { silentLogger, type Logger } from '../core/logger.ts'
import { fromPino } from './pino-logger.ts'

/** A logger that writes JSON lines to stderr with `--verbose`, else none. pino is loaded only when it is used. */
export async function stderrLogger(verbose: boolean): Promise<Logger> {
  if (!verbose) return silentLogger
  const { pino } = await import('pino')
  // Written at once: what was logged before a crash is what one wants to read.
  return fromPino(pino({ level: 'debug' }, pino.destination({ dest: 2, sync: true })))
}
