import { isDeepStrictEqual } from 'node:util'
import { isAlias, isMap as isYamlMap, isPair, isSeq as isYamlSeq, type Document, type Node } from 'yaml'
import { ConfigError } from '../core/index.ts'
import { childOf, formatKeyPath, indexOfNamed, isMap, type KeyPath } from './key-path.ts'
import { inOrder, InvalidConfigError } from './problem.ts'
import { holdsNamed } from './setting.ts'
import { entryAt, parseSource, type ConfigSource } from './source.ts'
import { addItem, addPair, lineBreak, removeEntry, replaceValue } from './splices.ts'
import { blockText, spliced, type Splice } from './yaml-text.ts'

/** A change of one setting. */
export type Edit = { readonly set: KeyPath; readonly value: unknown } | { readonly unset: KeyPath }

/**
 * The text with one setting changed. Comments, order and quotes stay: only the setting's own text changes, and where its form is one that
 * cannot be edited so, the whole text is written anew, with all comments.
 * @throws InvalidConfigError when the text is not YAML · ConfigError when the path does not lead to a setting
 */
export function editText(text: string, file: string, edit: Edit): string {
  const source = parseSource(text, file)
  if (source.problems.length > 0) throw new InvalidConfigError(inOrder(source.problems))
  const root = source.value ?? {}
  const step = 'set' in edit ? planSet(source, root, edit.set, edit.value) : planUnset(source, root, edit.unset)
  if (step === undefined) return text
  for (const attempt of [step.splice, step.rewrite]) {
    const edited = attempt()
    if (edited === undefined) continue
    const { value, problems } = parseSource(edited, file)
    if (problems.length === 0 && isDeepStrictEqual(value ?? {}, step.expected)) return edited
  }
  const path = formatKeyPath('set' in edit ? edit.set : edit.unset)
  throw new ConfigError(`${file} is written in a way in which ${path} cannot be changed by itself.`, { hint: 'Change it in an editor.' })
}

interface Plan {
  /** What the file has to say afterwards. */
  readonly expected: unknown
  /** The text with a small change. */
  readonly splice: () => string | undefined
  /** The text as the library writes it anew. */
  readonly rewrite: () => string
}

/** How far a path leads into what is there, with indices for names. */
function follow(source: ConfigSource, root: unknown, path: KeyPath): { readonly found: KeyPath; readonly here: unknown } {
  const found: (string | number)[] = []
  let here = root
  for (const step of path) {
    const next = childOf(here, step)
    if (next === undefined) break
    found.push(Array.isArray(here) ? indexOfNamed(here, step) : step)
    here = next
    const entry = entryAt(source, found)
    const node = isPair(entry) ? entry.value : entry
    if (isAlias(node) && found.length < path.length) {
      throw new ConfigError(
        `${formatKeyPath(path.slice(0, found.length))} is the alias *${node.source}: a change there would change another setting too.`,
        {
          hint: 'Write the values out in an editor.',
        },
      )
    }
  }
  return { found, here }
}

function planSet(source: ConfigSource, root: unknown, path: KeyPath, value: unknown): Plan {
  const { found, here } = follow(source, root, path)
  const rest = path.slice(found.length)
  const [first, ...further] = rest
  if (first === undefined || here === null) return replace(source, root, found, build(rest, withName(path, value), found))
  if (Array.isArray(here)) return append(source, root, found, newItem(here, path, found.length, value))
  if (!isMap(here) || typeof first === 'number') throw noSuchPlace(path, found, isMap(here) ? 'a map' : 'a single value')
  return put(source, root, [...found, first], build(further, value, [...found, first]))
}

/** A map that takes the place of a named thing keeps its name. */
function withName(path: KeyPath, value: unknown): unknown {
  const name = path[path.length - 1]
  const named = typeof name === 'string' && isMap(value) && holdsNamed(path.slice(0, -1))
  return named ? { name, ...value } : value
}

function noSuchPlace(path: KeyPath, found: KeyPath, what: string): ConfigError {
  const place = found.length === 0 ? 'The configuration' : formatKeyPath(found)
  return new ConfigError(`${formatKeyPath(path)} cannot be set: ${place} is ${what}.`)
}

/** The rest of a path as nested maps and lists around a value. */
function build(rest: KeyPath, value: unknown, at: KeyPath): unknown {
  const [step, ...further] = rest
  if (step === undefined) return value
  const inner = build(further, value, [...at, step])
  if (!holdsNamed(at)) return typeof step === 'number' ? [inner] : { [step]: inner }
  return [typeof step === 'string' ? { name: step, ...(isMap(inner) ? inner : {}) } : inner]
}

function newItem(list: readonly unknown[], path: KeyPath, at: number, value: unknown): unknown {
  const step = path[at]
  const start = path.slice(0, at)
  if (typeof step === 'number' && step !== list.length) {
    throw new ConfigError(`${formatKeyPath(path)} cannot be set: the list has ${list.length} entries.`, {
      hint: `The next one is ${formatKeyPath([...start, list.length])}.`,
    })
  }
  if (typeof step === 'string' && !holdsNamed(start)) throw noSuchPlace(path, start, 'a list')
  const inner = build(path.slice(at + 1), value, path.slice(0, at + 1))
  return typeof step === 'string' ? { name: step, ...(isMap(inner) ? inner : {}) } : inner
}

/** The value after a change, and the library's tree after it. */
function changed(root: unknown, path: KeyPath, change: (container: Record<string, unknown>, key: string | number) => void): unknown {
  const copy = structuredClone({ root })
  const full: KeyPath = ['root', ...path]
  const container = full.slice(0, -1).reduce<unknown>((here, step) => (here as Record<string, unknown>)[step], copy)
  change(container as Record<string, unknown>, full[full.length - 1] ?? 'root')
  return copy.root
}

function written(source: ConfigSource, change: (document: Document) => void): string {
  const document = source.document.clone()
  change(document)
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false })
  return lineBreak(source.text) === '\n' ? text : text.replaceAll(/\r?\n/g, '\r\n')
}

const apply = (source: ConfigSource, splice: Splice | undefined): string | undefined =>
  splice === undefined ? undefined : spliced(source.text, splice)

function replace(source: ConfigSource, root: unknown, path: KeyPath, value: unknown): Plan {
  return {
    expected: changed(root, path, (container, key) => (container[key] = value)),
    splice: () => {
      const entry = entryAt(source, path)
      return entry === undefined ? undefined : apply(source, replaceValue(source.text, entry, value))
    },
    rewrite: () =>
      written(source, (document) => document.setIn(path, path.length === 0 || isScalarValue(value) ? value : document.createNode(value))),
  }
}

function isScalarValue(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function put(source: ConfigSource, root: unknown, path: KeyPath, value: unknown): Plan {
  const key = String(path[path.length - 1])
  return {
    expected: changed(root, path, (container, name) => (container[name] = value)),
    splice: () => {
      const { contents } = source.document
      if (path.length === 1 && (contents === null || !isYamlMap(contents))) return appendToEmpty(source, { [key]: value })
      const map = nodeAt(source, path.slice(0, -1))
      return isYamlMap(map) ? apply(source, addPair(source.text, map, key, value)) : undefined
    },
    rewrite: () => written(source, (document) => document.setIn(path, document.createNode(value))),
  }
}

function appendToEmpty({ text }: ConfigSource, value: unknown): string {
  const eol = lineBreak(text)
  const gap = text === '' || text.endsWith('\n') ? '' : eol
  return `${text}${gap}${blockText(value, eol, 0)}${eol}`
}

function append(source: ConfigSource, root: unknown, path: KeyPath, item: unknown): Plan {
  return {
    expected: changed(root, path, (container, key) => (container[key] = [...(container[key] as unknown[]), item])),
    splice: () => {
      const list = nodeAt(source, path)
      return isYamlSeq(list) ? apply(source, addItem(source.text, list, item)) : undefined
    },
    rewrite: () => written(source, (document) => document.addIn(path, document.createNode(item))),
  }
}

function planUnset(source: ConfigSource, root: unknown, path: KeyPath): Plan | undefined {
  const { found } = follow(source, root, path)
  if (found.length < path.length) return undefined
  const container = nodeAt(source, found.slice(0, -1))
  const key = found[found.length - 1] ?? ''
  return {
    expected: changed(root, found, (here, name) => {
      if (Array.isArray(here)) here.splice(Number(name), 1)
      else delete here[name]
    }),
    splice: () => {
      const entry = entryAt(source, found)
      if (!isYamlMap(container) && !isYamlSeq(container)) return undefined
      const index = (container.items as unknown[]).indexOf(entry)
      return index === -1 ? undefined : apply(source, removeEntry(source.text, container, index))
    },
    rewrite: () => written(source, (document) => document.deleteIn([...found.slice(0, -1), key])),
  }
}

function nodeAt(source: ConfigSource, path: KeyPath): Node | null | undefined {
  const entry = entryAt(source, path)
  return isPair(entry) ? (entry.value as Node | null) : entry
}
