import { isMap } from './key-path.ts'
import { listWords, showValue } from './show-value.ts'

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  null: 'nothing',
}

/** What a schema allows, in a few words; undefined when that cannot be said in a few. */
export function expected(schema: unknown): string | undefined {
  if (!isMap(schema)) return undefined
  if (typeof schema['x-expects'] === 'string') return schema['x-expects']
  if (Array.isArray(schema['enum'])) return `one of: ${listWords(allowedWords(schema))}`
  if ('const' in schema) return showValue(schema['const'])
  const types = [schema['type']].flat().filter((type): type is string => typeof type === 'string')
  const words = types.map((type) => TYPE_WORDS[type] ?? type)
  if (words.length === 0) return undefined
  return `${words.join(' or ')}${range(schema)}${contents(schema)}`
}

/** The values of an enumeration, as they are written in the file. */
export function allowedWords(schema: Record<string, unknown>): string[] {
  const values = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : []
  return values.map((value) => (typeof value === 'string' ? value : showValue(value)))
}

/** What a map or a list is made of, where its schema says it in place. */
function contents(schema: Record<string, unknown>): string {
  const { properties, items } = schema
  if (isMap(properties)) return ` with ${listWords(Object.keys(properties).filter((key) => !key.startsWith('$')))}`
  return isMap(items) && typeof items['x-expects'] === 'string' ? ` of ${items['x-expects']}` : ''
}

function range(schema: Record<string, unknown>): string {
  const [minimum, maximum] = [schema['minimum'], schema['maximum']]
  if (minimum !== undefined && maximum !== undefined) return ` from ${showValue(minimum)} to ${showValue(maximum)}`
  if (minimum !== undefined) return ` of at least ${showValue(minimum)}`
  return maximum === undefined ? '' : ` of at most ${showValue(maximum)}`
}
