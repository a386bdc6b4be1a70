import { ConfigError } from '../core/index.ts'

/** Something wrong, or worth a warning, in the configuration. */
export interface Problem {
  /** The file, as it is shown; absent when the value came from elsewhere. */
  readonly file?: string
  /** From 1. */
  readonly line?: number
  /** From 1, in UTF-16 units as editors count. */
  readonly column?: number
  /** The environment variable that the value came from. */
  readonly variable?: string
  /** The setting, as `beam config get` takes it; empty for the whole. */
  readonly path: string
  /** What is wrong, the value, what is allowed, the nearest match. */
  readonly message: string
}

/** Problems that one error prints: nobody mends more at a time. All of them are in its list. */
const MAX_PRINTED = 20

/** One line: `beam.config.yaml:4:11 tunnels.web.port: 70000 is not allowed; expected …`. */
export function formatProblem(problem: Problem): string {
  const place = problem.variable ?? problem.file
  const position = problem.line === undefined || problem.variable !== undefined ? '' : `:${problem.line}:${problem.column ?? 1}`
  const where = place === undefined ? '' : `${place}${position}`
  const what = problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`
  if (where === '') return what
  return position === '' ? `${where}: ${what}` : `${where} ${what}`
}

/** The configuration is wrong: every problem with its place. */
export class InvalidConfigError extends ConfigError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[], options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    const lines = problems.slice(0, MAX_PRINTED).map(formatProblem)
    if (problems.length > MAX_PRINTED) lines.push(`… and ${problems.length - MAX_PRINTED} more`)
    super(lines.join('\n'), options)
    this.problems = problems
  }
}

/** By place in the file, those without a place first; the same problem once. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>()
  return problems
    .filter((problem) => {
      // One variable may stand for settings in several places.
      const text = problem.variable === undefined ? formatProblem(problem) : `${problem.variable}: ${problem.message}`
      return seen.has(text) ? false : seen.add(text)
    })
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}
