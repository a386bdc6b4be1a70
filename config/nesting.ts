import type { CST } from 'yaml'

/**
 * Deepest nesting that is read. Real files have six levels. The bound is checked before the tree is built, because building it is
 * recursive and V8 ends the whole process when a regular expression is compiled at the end of the stack.
 */
export const MAX_NESTING = 64

/** Where in the text the nesting gets deeper than {@link MAX_NESTING}, or undefined. */
export function tooDeepAt(tokens: readonly CST.Token[]): number | undefined {
  const open: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }))
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next
    if (depth > MAX_NESTING) return token.offset
    for (const child of childrenOf(token)) open.push({ token: child, depth: depth + 1 })
  }
  return undefined
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value]
  if (!('items' in token)) return []
  return token.items.flatMap((item) => [item.key, item.value]).filter((child) => child !== null && child !== undefined)
}
