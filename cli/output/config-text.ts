import { stringify } from 'yaml'
import { formatProblem, type EditResult, type Problem } from '../../config/index.ts'
import { colours } from './colours.ts'

/** A setting's value for people: a text as it is, lists and maps as YAML. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? `${value}\n` : stringify(value, { lineWidth: 0 })
}

/** Writes problems to stderr, one a line and none broken, so that editors and searches find the places in them. */
export function writeProblems(kind: 'Error' | 'Warning', problems: readonly Problem[]): void {
  const paint = colours(process.stderr)
  const word = kind === 'Error' ? paint.red('Error') : paint.yellow('Warning')
  for (const problem of problems) process.stderr.write(`${word} ${formatProblem(problem)}\n`)
}

/** What became of a change. */
export function changeText({ file, path, before, after, changed }: EditResult): string {
  const was = before === undefined ? 'not set' : JSON.stringify(before)
  if (!changed) return `${path} is ${was}${before === undefined ? '' : ' already'}; ${file} is unchanged.\n`
  return `${path} is ${after === undefined ? 'no longer set' : `now ${JSON.stringify(after)}`} in ${file} (before: ${was}).\n`
}

/** One JSON document on stdout. */
export function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
