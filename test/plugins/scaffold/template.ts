import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join, relative, sep } from 'node:path'

const EXAMPLE = fileURLToPath(new URL('../../../examples/backends/typescript', import.meta.url))
/** The generated module. */
export const TEMPLATE_MODULE = fileURLToPath(new URL('../../../plugins/scaffold/template.generated.ts', import.meta.url))
/** What npm and tsc leave in the example. */
const LEFTOVERS = new Set(['node_modules', 'dist', 'package-lock.json'])

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !LEFTOVERS.has(name))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]))
}

/** The files of the example by their paths with slashes, in order. */
export function exampleFiles(): Readonly<Record<string, string>> {
  const paths = filesBelow(EXAMPLE).map((path) => [relative(EXAMPLE, path).split(sep).join('/'), path] as const)
  return Object.fromEntries(paths.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([file, path]) => [file, readFileSync(path, 'utf8')]))
}

/** The module that carries the example into the package, which holds no sources. */
export function templateModule(): string {
  const entries = Object.entries(exampleFiles()).map(([file, text]) => `  ${JSON.stringify(file)}: ${JSON.stringify(text)},`)
  return [
    '// Made from examples/backends/typescript by `npm run generate`. Change the example, not this file.',
    '',
    '/** The files of a new backend project. */',
    'export const TEMPLATE: Readonly<Record<string, string>> = {',
    ...entries,
    '}',
    '',
  ].join('\n')
}
