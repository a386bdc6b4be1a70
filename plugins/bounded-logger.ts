import type { Clock, LogFields, Logger } from '../core/index.ts'

/** Messages of one plugin in one second: a busy network at level debug stays below; more would fill disks and hide what others say. */
const MAX_PER_SECOND = 200
/** Longest message; data belongs into fields. */
const MAX_MESSAGE_LENGTH = 1_000
/** Longest text in a field. */
const MAX_FIELD_LENGTH = 4_096

/** How many messages a plugin may still write; shared by all loggers that it makes of its own. */
class Allowance {
  readonly #clock: Clock
  #start: number
  #used = 0
  #dropped = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#start = clock.monotonic()
  }

  /** Whether one more fits, and how many did not fit into a window that is over. */
  take(): { readonly fits: boolean; readonly dropped: number } {
    const now = this.#clock.monotonic()
    let dropped = 0
    if (now - this.#start >= 1_000) {
      dropped = this.#dropped
      this.#start = now
      this.#used = this.#dropped = 0
    }
    const fits = this.#used < MAX_PER_SECOND
    if (fits) this.#used += 1
    else this.#dropped += 1
    return { fits, dropped }
  }
}

/** A logger for code that others wrote: it writes no more than one can read, says what it left out, and never throws. */
export function boundedLogger(logger: Logger, clock: Clock): Logger {
  return bounded(logger, new Allowance(clock))
}

function bounded(logger: Logger, allowance: Allowance): Logger {
  const at =
    (level: 'error' | 'warn' | 'info' | 'debug' | 'trace') =>
    (message: string, fields?: LogFields): void => {
      const { fits, dropped } = allowance.take()
      if (dropped > 0) logger.warn('a plugin wrote too many log messages', { dropped })
      if (!fits) return
      try {
        logger[level](short(message, MAX_MESSAGE_LENGTH), shortFields(fields))
      } catch {
        // What cannot be written, such as a cycle or a message that is no text, is the plugin's loss.
      }
    }
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    child: (fields) => bounded(logger.child(shortFields(fields) ?? {}), allowance),
  }
}

function shortFields(fields: LogFields | undefined): LogFields | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? short(value, MAX_FIELD_LENGTH) : value]),
  )
}

function short(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}
