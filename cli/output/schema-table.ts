import { everyProperty, isSecret, type Property } from '../../config/schema-walk.ts'
import type { JsonSchema } from '../../core/index.ts'
import type { Colours } from './colours.ts'
import { table } from './table.ts'

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
  const all = everyProperty(schema)
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
  const standard = first('default')
  const variable = first('x-env')
  const [description = '', ...notes] = [
    String(first('description') ?? ''),
    ...(isSecret(schemas) ? ['Secret.'] : []),
    ...(typeof variable === 'string' ? [`Variable: ${variable}.`] : []),
  ]
  return {
    option: path.join('.'),
    type: [...new Set(schemas.map(typeOf).filter((type) => type !== ''))].join(' or ') || 'anything',
    ...(standard === undefined ? {} : { default: JSON.stringify(standard) }),
    description: [description, ...notes].filter((part) => part !== '').join(' '),
  }
}

function typeOf(schema: JsonSchema): string {
  const { type, enum: words, const: only, items, minimum, maximum } = schema
  if (Array.isArray(words)) return words.map(String).join(' | ')
  if (only !== undefined) return String(only)
  const name = Array.isArray(type) ? type.join(' | ') : typeof type === 'string' ? type : ''
  if (name === 'array') {
    const item = typeof items === 'object' && items !== null ? typeOf(items as JsonSchema) : ''
    return item === '' ? 'list' : `list of ${item}`
  }
  if ((name === 'integer' || name === 'number') && (minimum !== undefined || maximum !== undefined)) {
    return `${name}, ${minimum === undefined ? 'at most' : String(minimum)}${minimum === undefined ? ' ' : maximum === undefined ? ' or more' : ' to '}${maximum === undefined ? '' : String(maximum)}`
  }
  return name
}
