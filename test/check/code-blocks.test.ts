import { describe, expect, it } from 'vitest'
import { codeBlocks } from './code-blocks.ts'

describe('code blocks of a document', () => {
  it('are the TypeScript ones, with the line they begin in', () => {
    const text = 'a\n```ts\nconst a = 1\n\na\n```\n```sh\nls\n```\n```ts ignore\nbad(\n```\n```typescript\nb()\n```\n'
    expect(codeBlocks(text)).toEqual([
      { line: 3, code: 'const a = 1\n\na\n' },
      { line: 14, code: 'b()\n' },
    ])
  })

  it('must end', () => {
    expect(() => codeBlocks('x\n```ts\nconst a = 1\n')).toThrow('begins in line 2 does not end')
  })
})
