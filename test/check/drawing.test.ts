import { describe, expect, it } from 'vitest'
import { drawLayers, replaceDrawing } from './drawing.ts'

const imports = (source: string, ...targets: ReadonlyArray<readonly [resolved: string, dynamic?: boolean]>) => ({
  source,
  dependencies: targets.map(([resolved, dynamic = false]) => ({ resolved, dynamic, dependencyTypes: [] })),
})

describe('the drawing in ARCHITECTURE.md', () => {
  it('has a box per folder, an arrow per import, dotted when only at run time', () => {
    const drawing = drawLayers([
      imports('cli/index.ts', ['plugins/index.ts'], ['node:fs']),
      imports('plugins/builtins.ts', ['backends/mesh/index.ts', true]),
      imports('backends/mesh/index.ts', ['core/index.ts'], ['backends/mesh/inner.ts']),
      imports('core/link/link.ts', ['core/errors.ts'], ['core/streams/pump.ts']),
      imports('core/index.ts', ['core/link/link.ts']),
    ])
    expect(drawing.split('\n')).toEqual([
      '```mermaid',
      'flowchart LR',
      '  backends_mesh["backends/mesh"]',
      '  cli["cli"]',
      '  plugins["plugins"]',
      '  subgraph core',
      '    core_link["core/link"]',
      '  end',
      '  backends_mesh --> core',
      '  cli --> plugins',
      '  core_link --> core_streams',
      '  plugins -.-> backends_mesh',
      '```',
    ])
  })

  it('takes the place between its marks and nothing else', () => {
    const page = 'before\n<!-- drawn from the code by `npm run generate`; edits are lost -->\nold\n<!-- end of the drawing -->\nafter\n'
    const once = replaceDrawing(page, 'new')
    expect(once).toMatch(/^before\n[\s\S]*\n\nnew\n\n<!-- end of the drawing -->\nafter\n$/)
    expect(once).not.toContain('old')
    expect(replaceDrawing(once, 'new')).toBe(once)
    expect(() => replaceDrawing('no marks', 'new')).toThrow('lacks the marks')
  })
})
