import { everyProperty, isSecret, type Property } from '../../config/schema-walk.ts'
import type { JsonSchema } from '../../core/index.ts'
import type { Colours } from './colours.ts'
import { foreignText } from './foreign-text.ts'
import { table } from './table.ts'

/** Settings that are looked at: a schema that refers to itself has as many as one likes. */
const MAX_PROPERTIES = 500

const COLUMNS = [
  { title: 'OPTION', max: 22 },
  { title: 'TYPE', max: 16 },
  { title: 'DEFAULT', max: 12 },
  { title: 'DESCRIPTION', max: 60 },
]

/** A setting of a backend, as lists show it. */
export interface OptionRow {
  /** Path in the backend's block. */
  readonly option: string
  readonly type: string
  /** As JSON; absent = none. */
  readonly default?: string
  readonly description: string
}

/** The settings that a schema describes; a map with settings of its own is shown by those. */
export function optionRows(schema: JsonSchema): OptionRow[] {
  const all = everyProperty(schema).slice(0, MAX_PROPERTIES)
  return all
    .filter(({ path }) => !all.some((other) => other.path.length > path.length && path.every((step, index) => other.path[index] === step)))
    .map(rowOf)
}

/** The settings of a backend as a table. */
export function schemaTable(schema: JsonSchema, width: number, paint: Colours): string {
  const rows = optionRows(schema).map(({ option, type, default: standard = '', description }) => [option, type, standard, description])
  return table(COLUMNS, rows, width, paint)
}

function rowOf({ path, schemas }: Property): OptionRow {
  const first = (word: string): unknown => schemas.find((schema) => schema[word] !== undefined)?.[word]
  const [standard, variable, description] = [first('default'), first('x-env'), first('description')]
  const parts = [
    typeof description === 'string' ? description : '',
    isSecret(schemas) ? 'Secret.' : '',
    typeof variable === 'string' ? `Variable: ${variable}.` : '',
  ]
  const types = new Set(schemas.map(typeOf).filter((type) => type !== ''))
  return {
    option: foreignText(path.join('.')),
    type: types.size === 0 ? 'anything' : foreignText([...types].join(' or ')),
    ...(standard === undefined ? {} : { default: foreignText(JSON.stringify(standard)) }),
    description: foreignText(parts.filter((part) => part !== '').join(' ')),
  }
}

function typeOf(schema: JsonSchema): string {
  const { type, enum: words, const: only, items, minimum, maximum } = schema
  if (Array.isArray(words)) return words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' | ')
  if (only !== undefined) return JSON.stringify(only)
  const name = Array.isArray(type) ? type.join(' | ') : typeof type === 'string' ? type : ''
  if (name === 'array') {
    const item = typeof items === 'object' && items !== null ? typeOf(items as JsonSchema) : ''
    return item === '' ? 'list' : `list of ${item}`
  }
  return name === 'integer' || name === 'number' ? `${name}${rangeOf(minimum, maximum)}` : name
}

function rangeOf(minimum: unknown, maximum: unknown): string {
  const [low, high] = [minimum, maximum].map((limit) => (typeof limit === 'number' ? String(limit) : undefined))
  if (low === undefined) return high === undefined ? '' : `, at most ${high}`
  return high === undefined ? `, ${low} or more` : `, ${low} to ${high}`
}
