import { silentLogger, type LogFields, type Logger } from '../core/logger.ts'

/** A logger that writes JSON lines to stderr with `--verbose`, else none. pino is loaded only when it is used. */
export async function stderrLogger(verbose: boolean): Promise<Logger> {
  if (!verbose) return silentLogger
  const { pino } = await import('pino')
  // Written at once: what was logged before a crash is what one wants to read.
  return adapt(pino({ level: 'debug' }, pino.destination({ dest: 2, sync: true })))
}

/** The part of pino that is used. */
type Pino = Record<'error' | 'warn' | 'info' | 'debug' | 'trace', (fields: LogFields, message: string) => void> & {
  child(fields: LogFields): Pino
}

function adapt(log: Pino): Logger {
  const at =
    (level: 'error' | 'warn' | 'info' | 'debug' | 'trace') =>
    (message: string, fields: LogFields = {}) =>
      log[level](fields, message)
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: (fields) => adapt(log.child(fields)),
  }
}
