import { isAlias, isPair, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml'
import {
  blockText,
  endOf,
  indentOf,
  inlineText,
  isFlow,
  isInlineScalar,
  itemsOf,
  lineEnd,
  lineStart,
  startOf,
  type Splice,
} from './yaml-text.ts'

/*
 * Edits of YAML text that touch nothing but the setting: a comment, an alignment or a quote elsewhere stays as it was typed. Each function
 * answers undefined for forms that it does not master; the caller then lets the library write the whole file anew.
 */

/** Spaces by which Beam indents what it writes itself. */
const INDENT = 2

/** The line break of a text. */
export function lineBreak(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

/** Puts another value in the place of an entry's. */
export function replaceValue(text: string, entry: Pair | Node, value: unknown): Splice | undefined {
  const node = isPair(entry) ? (entry.value as Node | null) : entry
  if (isAlias(node) || node?.range === undefined || node.range === null) return undefined
  const [from, to] = node.range
  if (to === from) return isPair(entry) ? fillIn(text, entry, value) : undefined
  if (isInlineScalar(node)) return { from, to, text: inlineText(value, node) }
  return isFlow(node) ? { from, to, text: inlineText(value) } : undefined
}

/** Writes a value behind a key that has none. */
function fillIn(text: string, pair: Pair, value: unknown): Splice | undefined {
  const key = (pair.key as Node | null)?.range
  if (key === undefined || key === null) return undefined
  const colon = text.indexOf(':', key[1])
  if (colon === -1 || text.slice(key[1], colon).trim() !== '') return undefined
  if (isInline(value)) return { from: colon + 1, to: colon + 1, text: ` ${inlineText(value)}` }
  const end = lineEnd(text, colon)
  const indent = key[0] - lineStart(text, key[0]) + INDENT
  const eol = lineBreak(text)
  return { from: end, to: end, text: eol + blockText(value, eol, indent) }
}

function isInline(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.values(value).every((child) => typeof child !== 'object' || child === null) && Array.isArray(value)
}

/** Adds a key with its value at the end of a map. */
export function addPair(text: string, map: YAMLMap, key: string, value: unknown): Splice | undefined {
  return addEntry(text, map, { inline: `${inlineText(key)}: ${inlineText(value)}`, block: { [key]: value } })
}

/** Adds an item at the end of a list. */
export function addItem(text: string, list: YAMLSeq, value: unknown): Splice | undefined {
  return addEntry(text, list, { inline: inlineText(value), block: [value] })
}

function addEntry(
  text: string,
  collection: YAMLMap | YAMLSeq,
  entry: { readonly inline: string; readonly block: unknown },
): Splice | undefined {
  const last = itemsOf(collection).at(-1)
  if (isFlow(collection)) {
    if (last !== undefined) {
      const end = endOf(last)
      return end === undefined ? undefined : { from: end, to: end, text: `, ${entry.inline}` }
    }
    const range = collection.range
    if (range === undefined || range === null || text.slice(range[0] + 1, range[1] - 1).trim() !== '') return undefined
    return { from: range[0] + 1, to: range[1] - 1, text: entry.inline }
  }
  const indent = indentOf(text, collection)
  const end = last === undefined ? undefined : endOf(last)
  if (indent === undefined || end === undefined) return undefined
  const eol = lineBreak(text)
  const lines = blockText(entry.block, eol, indent)
  // A block scalar ends behind its line break.
  if (text[end - 1] === '\n') return { from: end, to: end, text: lines + eol }
  const at = behindComments(text, lineEnd(text, end), indent)
  return { from: at, to: at, text: eol + lines }
}

/** The end of the comments that follow in the next lines and stand as deep as the collection: they belong to what is before them. */
function behindComments(text: string, offset: number, indent: number): number {
  let at = offset
  for (;;) {
    const comment = /^\r?\n( *)#.*/.exec(text.slice(at))
    if (comment === null || (comment[1] ?? '').length < indent) return at
    at = lineEnd(text, at + comment[0].length - 1)
  }
}

/** Takes an entry out of its collection, with the comment behind it. */
export function removeEntry(text: string, collection: YAMLMap | YAMLSeq, index: number): Splice | undefined {
  const items = itemsOf(collection)
  const entry = items[index]
  if (entry === undefined) return undefined
  const [start, end] = [startOf(entry), endOf(entry)]
  if (start === undefined || end === undefined) return undefined
  if (items.length === 1) return emptied(text, collection, end)
  if (isFlow(collection)) return removeFromFlow(items, index, { start, end })
  const from = isPair(entry) ? start : text.lastIndexOf('-', start - 1)
  const line = lineStart(text, from)
  const next = text[end - 1] === '\n' ? end : nextLine(text, end)
  if (text.slice(line, from).trim() === '') return { from: line, to: next, text: '' }
  // The first key of an item stands behind its dash: what follows moves up there.
  const follows = text.slice(next).search(/\S/)
  return follows === -1 ? undefined : { from, to: next + follows, text: '' }
}

function emptied(text: string, collection: YAMLMap | YAMLSeq, end: number): Splice | undefined {
  const range = collection.range
  if (range === undefined || range === null) return undefined
  const flow = isFlow(collection)
  const empty = text[range[0]] === '[' || (!flow && text[range[0]] === '-') ? '[]' : '{}'
  const before = text.slice(0, range[0]).trimEnd()
  const from = before.endsWith(':') ? before.length : range[0]
  return { from, to: flow ? range[1] : end, text: from === range[0] ? empty : ` ${empty}` }
}

function removeFromFlow(
  items: readonly (Pair | Node)[],
  index: number,
  { start, end }: { readonly start: number; readonly end: number },
): Splice | undefined {
  const next = items[index + 1]
  const following = next === undefined ? undefined : startOf(next)
  if (following !== undefined) return { from: start, to: following, text: '' }
  const previous = items[index - 1]
  const before = previous === undefined ? undefined : endOf(previous)
  return before === undefined ? undefined : { from: before, to: end, text: '' }
}

function nextLine(text: string, offset: number): number {
  const found = text.indexOf('\n', offset)
  return found === -1 ? text.length : found + 1
}
