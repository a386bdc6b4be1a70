import { mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { pino } from 'pino'
import { createStream } from 'rotating-file-stream'
import type { Logger } from '../../core/logger.ts'
import type { BeamPaths } from '../../core/paths.ts'
import { fromPino } from '../pino-logger.ts'
import { logPath } from './log-path.ts'

/** When a log file is put aside, in bytes: some ten thousand lines. */
const MAX_FILE_BYTES = 5 * 1024 * 1024
/** Files that were put aside and are kept: the log takes 20 MiB at most. */
const OLD_FILES = 3

/** A logger to the daemon's log file. Disposing it writes what is left. */
export function openLog(
  paths: Pick<BeamPaths, 'state'>,
  limits: { readonly maxBytes?: number; readonly oldFiles?: number } = {},
): { readonly logger: Logger } & AsyncDisposable {
  const { maxBytes = MAX_FILE_BYTES, oldFiles = OLD_FILES } = limits
  const path = logPath(paths)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const stream = createStream(basename(path), { path: dirname(path), size: `${maxBytes}B`, rotate: oldFiles, mode: 0o600 })
  // A full disk must not end the tunnels.
  stream.on('error', () => {})
  stream.on('warning', () => {})
  return {
    logger: fromPino(pino({ level: 'info', base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream)),
    [Symbol.asyncDispose]: () => new Promise((resolve) => stream.end(() => resolve())),
  }
}
