/** Levels from the quietest to the loudest. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** Data that goes along with a message. Values that identify people go through `sensitive()` first; keys never go in. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Where the core and the backends write what happened. It is injected, never imported: who makes a Beam instance chooses the
 * implementation (the command line uses pino). `message` is constant text, data goes into `fields`.
 */
export interface Logger {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  trace(message: string, fields?: LogFields): void
  /** A logger whose every line carries these fields too. */
  child(fields: LogFields): Logger
}

const nothing = (): void => {}

/** A logger that writes nothing: the default of the SDK and of tests. */
export const silentLogger: Logger = {
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  trace: nothing,
  child: () => silentLogger,
}
