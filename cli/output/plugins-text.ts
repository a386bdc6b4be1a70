import type { InstalledPlugin } from '../../plugins/installed/index.ts'
import type { Colours } from './colours.ts'
import { foreignText } from './foreign-text.ts'
import { wrap } from './layout.ts'
import { table } from './table.ts'

const COLUMNS = [
  { title: 'PACKAGE', max: 36 },
  { title: 'VERSION', max: 12 },
  { title: 'BACKEND', max: 16 },
  { title: 'IN THE CONFIG', max: 13 },
]

/** The installed plugins as a table, and below it what is wrong with them. */
export function pluginsText(plugins: ReadonlyArray<InstalledPlugin & { readonly named: boolean }>, width: number, paint: Colours): string {
  if (plugins.length === 0) return 'No plugins are installed. To install one: beam plugins add PACKAGE\n'
  const rows = plugins.map(({ package: name, version = '', backend = '', named }) => [
    name,
    foreignText(version),
    backend,
    named ? 'yes' : 'no',
  ])
  const problems = plugins.flatMap(({ problem }) =>
    problem === undefined ? [] : [paint.red(wrap(foreignText(problem), width).join('\n'))],
  )
  return table(COLUMNS, rows, width, paint) + (problems.length === 0 ? '' : `\n${problems.join('\n')}\n`)
}
