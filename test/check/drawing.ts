import type { Cruise } from './cruise.ts'

const BEGIN = '<!-- drawn from the code by `npm run generate`; edits are lost -->'
const END = '<!-- end of the drawing -->'

/** The box a file stands in: `cli`, `core/link`, `backends/mesh`; files of core itself stand for `core`. */
function boxOf(file: string): string | undefined {
  const [top, second, third] = file.split('/')
  if (top === undefined || !/^(core|backends|plugins|config|cli)$/.test(top)) return undefined
  if (top === 'core') return third === undefined ? 'core' : `core/${second}`
  return top === 'backends' ? `backends/${second}` : top
}

/** A mermaid drawing of the imports between boxes. Dotted: only by `import()` at run time. What core's folders take from core itself is left out. */
export function drawLayers(modules: Cruise['modules']): string {
  const edges = new Map<string, boolean>()
  const boxes = new Set<string>()
  for (const { source, dependencies } of modules) {
    const from = boxOf(source)
    if (from === undefined) continue
    boxes.add(from)
    for (const { resolved, dynamic } of dependencies) {
      const to = boxOf(resolved)
      if (to === undefined || to === from || from === 'core' || (to === 'core' && from.startsWith('core/'))) continue
      const edge = `${from} ${to}`
      edges.set(edge, (edges.get(edge) ?? true) && dynamic)
    }
  }
  const id = (box: string): string => box.replaceAll(/\W/g, '_')
  const inCore = [...boxes].filter((box) => box.startsWith('core/')).toSorted()
  const outside = [...boxes].filter((box) => !box.startsWith('core')).toSorted()
  const lines = [
    'flowchart LR',
    ...outside.map((box) => `  ${id(box)}["${box}"]`),
    '  subgraph core',
    ...inCore.map((box) => `    ${id(box)}["${box}"]`),
    '  end',
    ...[...edges]
      .map(
        ([edge, dynamic]) =>
          `  ${edge
            .split(' ')
            .map(id)
            .join(dynamic ? ' -.-> ' : ' --> ')}`,
      )
      .toSorted(),
  ]
  return `\`\`\`mermaid\n${lines.join('\n')}\n\`\`\``
}

/** Puts the drawing between its marks. */
export function replaceDrawing(document: string, drawing: string): string {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END, begin)
  if (begin < 0 || end < 0) throw new Error(`the document lacks the marks "${BEGIN}" and "${END}"`)
  return `${document.slice(0, begin)}${BEGIN}\n\n${drawing}\n\n${document.slice(end)}`
}
