import { Composer, isAlias, isCollection, isMap, isPair, isScalar, isSeq, LineCounter, Parser, visit } from 'yaml'
import type { Document, Node, Pair } from 'yaml'
import type { KeyPath } from './key-path.ts'
import { tooDeepAt, MAX_NESTING } from './nesting.ts'
import type { Problem } from './problem.ts'

/**
 * Most aliases in a file, and most nodes that they may multiply to (the bound against alias bombs; `yaml` counts those). To find an anchor
 * the library walks through the file, for every alias anew.
 */
const MAX_ALIASES = 100

/** Most syntax errors that are told: one often causes many. */
const MAX_SYNTAX_ERRORS = 100

/** The text of a configuration file and what it says. */
export interface ConfigSource {
  /** The file, as messages name it. */
  readonly file: string
  readonly text: string
  readonly document: Document
  /** The plain value; undefined for a file without content, or with syntax errors. */
  readonly value: unknown
  /** What is wrong with the syntax. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Line and column of a place in the text, from 1. */
  position(offset: number): { readonly line: number; readonly column: number }
}

/** Reads the text of a configuration file. Never throws: what is wrong is in `problems`. */
export function parseSource(text: string, file: string): ConfigSource {
  const lines = new LineCounter()
  const position = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const at = (offset: number, message: string): Problem => ({ file, ...position(offset), path: '', message })
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  const composer = new Composer({ prettyErrors: false, logLevel: 'silent' })
  const tooDeep = tooDeepAt(tokens)
  if (tooDeep !== undefined) {
    const [empty] = composer.compose([], true, 0)
    const problems = [at(tooDeep, `nested too deeply; at most ${MAX_NESTING} levels are read`)]
    return { file, text, document: empty as unknown as Document, value: undefined, problems, warnings: [], position }
  }
  const [document, second] = [...composer.compose(tokens, true, text.length)] as unknown as [Document, Document?]
  const problems = document.errors
    .slice(0, MAX_SYNTAX_ERRORS)
    .map((error) => at(error.pos[0], syntaxMessage(error.code, error.message, text.slice(error.pos[0], error.pos[0] + 60))))
  if (second !== undefined) problems.push(at(second.range?.[0] ?? 0, 'a second document starts here; one is allowed'))
  const warnings = document.warnings.map((warning) => at(warning.pos[0], warning.message))
  problems.push(...aliasProblems(document, at))
  let value: unknown
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown
    } catch {
      problems.push(at(0, 'aliases multiply to more than this file may hold; write the values out'))
    }
  }
  return { file, text, document, value, problems, warnings, position }
}

function syntaxMessage(code: string, message: string, excerpt: string): string {
  if (code === 'DUPLICATE_KEY') return `the key ${/^[^\s:,[\]{}]*/.exec(excerpt)?.[0] ?? ''} is there twice; keep one`
  return `this is not YAML: ${message}`
}

/** Aliases without an anchor, and those that contain themselves. */
function aliasProblems(document: Document, at: (offset: number, message: string) => Problem): Problem[] {
  const problems: Problem[] = []
  let count = 0
  visit(document, {
    Alias(_key, alias, ancestors) {
      if (++count > MAX_ALIASES) {
        problems.push(at(alias.range?.[0] ?? 0, `more than ${MAX_ALIASES} aliases; write the values out`))
        return visit.BREAK
      }
      const target = alias.resolve(document)
      const place = alias.range?.[0] ?? 0
      if (target === undefined) problems.push(at(place, `the alias *${alias.source} has no anchor &${alias.source} before it`))
      else if (ancestors.includes(target)) problems.push(at(place, `the alias *${alias.source} contains itself`))
    },
  })
  return problems
}

/** The pair or item at the end of the path, looking through aliases; undefined when the file does not have it. */
export function entryAt(source: ConfigSource, path: KeyPath): Pair | Node | undefined {
  let node: unknown = source.document.contents
  let entry: unknown = node
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(source.document)
    if (isMap(node)) entry = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(step))
    else if (isSeq(node) && typeof step === 'number') entry = node.items[step]
    else return undefined
    if (entry === undefined) return undefined
    node = isPair(entry) ? entry.value : entry
  }
  return entry as Pair | Node
}

/** Where a setting stands: its key or its value; the nearest setting around it when the file does not have it. */
export function placeOf(source: ConfigSource, path: KeyPath, part: 'key' | 'value'): { readonly line: number; readonly column: number } {
  for (let length = path.length; length > 0; length--) {
    const entry = entryAt(source, path.slice(0, length))
    if (entry === undefined) continue
    const wantsKey = part === 'key' && length === path.length
    const node = isPair(entry) ? (wantsKey || !hasText(entry.value) ? entry.key : entry.value) : entry
    const offset = (node as Node | null)?.range?.[0]
    if (offset !== undefined) return source.position(offset)
  }
  const root = source.document.contents
  return source.position(isCollection(root) ? (root.range?.[0] ?? 0) : 0)
}

/** Whether a value is written out; `key:` with nothing behind it is not. */
function hasText(value: unknown): boolean {
  const range = (value as Node | null)?.range
  return range !== undefined && range !== null && range[1] > range[0]
}
