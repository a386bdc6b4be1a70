import { Document, isCollection, isMap, isPair, isScalar, Scalar, visit, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml'

/** A piece of text that takes the place of another. */
export interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** The text after the splice. */
export function spliced(text: string, { from, to, text: piece }: Splice): string {
  return text.slice(0, from) + piece + text.slice(to)
}

/** A value on one line, as it can stand anywhere; texts in the quotes of `like` where that has some. */
export function inlineText(value: unknown, like?: Scalar): string {
  const document = new Document([value])
  visit(document, {
    Collection(_key, node) {
      node.flow = true
    },
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return
      const quoted = like?.type === Scalar.QUOTE_DOUBLE || like?.type === Scalar.QUOTE_SINGLE
      // Without a model, double quotes where some are needed: block forms have several lines.
      node.type = quoted ? (like.type as Scalar.Type) : /[\n\r]/.test(node.value) ? Scalar.QUOTE_DOUBLE : Scalar.PLAIN
    },
  })
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd()
  return text.slice(1, -1)
}

/** A value as it stands below a key or dash, over several lines where it has several parts. */
export function blockText(value: unknown, eol: string, indent: number): string {
  const document = new Document(value)
  visit(document, {
    Seq(key, node) {
      // A chain of backends reads best on one line.
      if (key !== null && node.items.every((item) => isScalar(item))) node.flow = true
    },
    Scalar(_key, node) {
      if (typeof node.value === 'string' && /[\n\r]/.test(node.value)) node.type = Scalar.QUOTE_DOUBLE
    },
  })
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd()
  return text
    .split('\n')
    .map((line) => ' '.repeat(indent) + line)
    .join(eol)
}

/** A collection that is written with brackets or braces. */
export function isFlow(node: unknown): boolean {
  return isCollection(node) && node.flow === true
}

/** Where the entry begins: its key, or the value of an item (behind the dash). */
export function startOf(entry: Pair | Node): number | undefined {
  return ((isPair(entry) ? entry.key : entry) as Node | null)?.range?.[0]
}

/** Where what is written of the entry ends, without a comment behind it. */
export function endOf(entry: Pair | Node): number | undefined {
  if (isPair(entry)) {
    const value = entry.value as Node | null
    const written = value?.range !== undefined && value.range !== null && value.range[1] > value.range[0]
    return written ? endOf(value) : (entry.key as Node | null)?.range?.[1]
  }
  if (isCollection(entry) && !isFlow(entry)) {
    const last = (entry.items as (Pair | Node)[]).at(-1)
    return last === undefined ? entry.range?.[1] : endOf(last)
  }
  return entry.range?.[1]
}

/** The end of the line that holds an offset, before the line break. */
export function lineEnd(text: string, offset: number): number {
  const found = text.slice(offset).search(/\r?\n|$/)
  return offset + found
}

/** The beginning of the line that holds an offset. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1
}

/** Spaces before the entries of a collection in block form. */
export function indentOf(text: string, collection: YAMLMap | YAMLSeq): number | undefined {
  const first = (collection.items as (Pair | Node)[])[0]
  const start = first === undefined ? undefined : startOf(first)
  if (start === undefined) return undefined
  const from = lineStart(text, start)
  if (isMap(collection)) return start - from
  const dash = text.lastIndexOf('-', start - 1)
  return dash < from ? undefined : dash - from
}

/** Whether a node is a plain value that stands on one line. */
export function isInlineScalar(node: unknown): node is Scalar {
  return isScalar(node) && node.type !== Scalar.BLOCK_FOLDED && node.type !== Scalar.BLOCK_LITERAL
}

/** The items of a collection. */
export function itemsOf(collection: YAMLMap | YAMLSeq): readonly (Pair | Node)[] {
  return collection.items as (Pair | Node)[]
}
