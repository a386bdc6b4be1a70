import { stripVTControlCharacters } from 'node:util'
import { isBeamError, type BeamError } from '../core/errors.ts'
import { colours } from './output/colours.ts'
import { liveLine } from './output/live-line.ts'
import { noteColumns, noteText } from './output/note.ts'
import { nearest } from '../config/nearest.ts'

/** Exit codes: done, failed, wrong usage or configuration. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

/** An error as it is shown. */
export interface ShownError {
  readonly code: string
  readonly message: string
  readonly hint?: string
  /** What failed on the way, when several things were tried. */
  readonly attempts: readonly string[]
  readonly exitCode: number
}

/** Attempts that are listed; a long list helps nobody. */
const MAX_ATTEMPTS = 10

/** What oclif's parser throws: the message is for people, the rest is found by name, since its classes are not exported. */
interface ParseError extends Error {
  readonly flags?: readonly string[]
  readonly args?: unknown
  readonly oclif?: { readonly exit?: number }
}

/**
 * What is to be said of an error.
 *
 * @param flags - names of the flags of the command that ran, for the nearest match of an unknown one
 */
export function describeError(error: unknown, flags: readonly string[] = []): ShownError {
  if (isBeamError(error)) return describeBeamError(error)
  if (error instanceof Error && (error as ParseError).oclif?.exit !== undefined) return describeParseError(error, flags)
  return {
    code: 'BEAM_ERR_INTERNAL',
    message: error instanceof Error && error.message !== '' ? error.message : String(error),
    hint: 'This is a fault in Beam itself; please report it, with what --verbose prints.',
    attempts: [],
    exitCode: EXIT.failed,
  }
}

function describeBeamError(error: BeamError): ShownError {
  const attempts = error.cause instanceof AggregateError ? error.cause.errors : []
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    attempts: attempts.slice(0, MAX_ATTEMPTS).map((attempt) => (attempt instanceof Error ? attempt.message : String(attempt))),
    exitCode: error.kind === 'config' ? EXIT.usage : EXIT.failed,
  }
}

function describeParseError(error: ParseError, flags: readonly string[]): ShownError {
  const unknown =
    error.name === 'NonExistentFlagsError' || error.constructor.name === 'NonExistentFlagsError' ? error.flags?.[0] : undefined
  const wanted = unknown === undefined ? undefined : nearest(unknown.replace(/^-+/, '').replace(/=.*/, ''), flags)
  return {
    code: 'BEAM_ERR_USAGE',
    message: unknown === undefined ? plain(error.message) : `There is no flag ${unknown}.`,
    hint: wanted === undefined ? 'See --help for what is possible.' : `Did you mean --${wanted}?`,
    attempts: [],
    exitCode: EXIT.usage,
  }
}

/** oclif's message without its colours and its pointer to the help. */
function plain(message: string): string {
  return stripVTControlCharacters(message)
    .replace(/\n?See more help with --help/, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim()
}

/** The only place where an error is printed: JSON on stdout with `--json`, else text on stderr. Returns the exit code. */
export function reportError(
  error: unknown,
  options: { readonly json: boolean; readonly verbose: boolean; readonly flags?: readonly string[] },
): number {
  const shown = describeError(error, options.flags)
  liveLine.hide()
  if (options.json) {
    const { code, message, hint } = shown
    process.stdout.write(`${JSON.stringify({ event: 'error', code, message: withAttempts(message, shown.attempts), hint })}\n`)
  } else {
    process.stderr.write(noteText({ kind: 'Error', ...shown }, noteColumns(process.stderr), colours(process.stderr)))
  }
  if (options.verbose && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`)
  return shown.exitCode
}

function withAttempts(message: string, attempts: readonly string[]): string {
  return attempts.length === 0 ? message : `${message} ${attempts.join(' ')}`
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof AggregateError ? error.cause.errors : [error.cause]
  const causes = cause.filter((one) => one instanceof Error).map((one) => `caused by ${stackOf(one)}`)
  return [error.stack ?? String(error), ...causes].join('\n')
}
