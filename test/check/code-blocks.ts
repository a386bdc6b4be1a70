/** One block of code in a document. */
export interface CodeBlock {
  /** Line of its first line, from 1. */
  readonly line: number
  readonly code: string
}

/** The TypeScript blocks of a Markdown text; those marked `ts ignore` are left out. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { readonly line: number; readonly wanted: boolean; readonly lines: string[] } | undefined
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    const fence = /^```(.*)$/.exec(text)
    if (fence === null) {
      open?.lines.push(text)
    } else if (open === undefined) {
      open = { line: index + 2, wanted: /^(ts|typescript)\s*$/.test(fence[1] ?? ''), lines: [] }
    } else {
      if (open.wanted) blocks.push({ line: open.line, code: `${open.lines.join('\n')}\n` })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`the block that begins in line ${open.line - 1} does not end`)
  return blocks
}
