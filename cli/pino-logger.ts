import type { LogFields, Logger } from '../core/logger.ts'

/** The part of pino that is used. */
export type Pino = Record<'error' | 'warn' | 'info' | 'debug' | 'trace', (fields: LogFields, message: string) => void> & {
  child(fields: LogFields): Pino
}

/** pino as core's logger. */
export function fromPino(log: Pino): Logger {
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
    child: (fields) => fromPino(log.child(fields)),
  }
}
