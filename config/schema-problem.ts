import type { ErrorObject } from 'ajv/dist/2020.js'
import { allowedWords, expected } from './expected.ts'
import { isMap, type KeyPath } from './key-path.ts'
import { nearest } from './nearest.ts'
import { listWords, showValue } from './show-value.ts'

/** What a schema found wrong, before it is known where in the file that stands. */
export interface Finding {
  readonly path: KeyPath
  /** Whether the key or its value is wrong. */
  readonly part: 'key' | 'value'
  readonly message: string
}

/** Most errors that are put into words: a file may hold thousands, each is compared with the others, and nobody reads more. */
const MAX_ERRORS = 200

/** Words for the errors of ajv (which must run with `verbose`), each for a person who sees only the file. */
export function findings(errors: readonly ErrorObject[], value: unknown): Finding[] {
  const first = errors.slice(0, MAX_ERRORS)
  return first.filter((error) => isTelling(error, first)).map((error) => finding(error, value))
}

const COMBINATIONS = ['anyOf', 'oneOf', 'if', 'allOf', 'propertyNames']

/** Errors in the branches of a combination. */
function branches(frame: ErrorObject, errors: readonly ErrorObject[]): ErrorObject[] {
  if (!COMBINATIONS.includes(frame.keyword)) return []
  return errors.filter((error) => error !== frame && error.schemaPath.startsWith(`${frame.schemaPath}/`))
}

/** A value that fits none of several forms is told once; what is wrong inside of one form is told by itself. */
function isAlternative(frame: ErrorObject, errors: readonly ErrorObject[]): boolean {
  const inside = branches(frame, errors)
  return (
    ['anyOf', 'oneOf'].includes(frame.keyword) &&
    inside.length > 0 &&
    inside.every(
      (error) => error.instancePath === frame.instancePath && error.keyword !== 'required' && error.keyword !== 'additionalProperties',
    )
  )
}

function isTelling(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  if (errors.some((frame) => isAlternative(frame, errors) && branches(frame, errors).includes(error))) return false
  if (branches(error, errors).length > 0) return isAlternative(error, errors)
  // The words of an enumeration say its type too.
  return (
    error.keyword !== 'type' ||
    !errors.some(
      (other) => other.keyword === 'enum' && other.parentSchema === error.parentSchema && other.instancePath === error.instancePath,
    )
  )
}

function finding(error: ErrorObject, root: unknown): Finding {
  const path = pointerPath(error.instancePath, root)
  const schema: Record<string, unknown> = isMap(error.parentSchema) ? error.parentSchema : {}
  const params = error.params as Record<string, unknown>
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
      return { path: [...path, key], part: 'key', message: unknownKey(key, schema) }
    }
    case 'required':
    case 'dependentRequired': {
      const key = String(params['missingProperty'])
      const property: unknown = isMap(schema['properties']) ? schema['properties'][key] : undefined
      return { path: [...path, key], part: 'value', message: withExpectation('missing', property) }
    }
    case 'uniqueItems': {
      const index = Math.max(Number(params['i']), Number(params['j']))
      const item: unknown = Array.isArray(error.data) ? error.data[index] : undefined
      const what = schema['writeOnly'] === true ? 'a value' : showValue(item)
      return { path: [...path, index], part: 'value', message: `${what} is listed twice` }
    }
    default:
      return { path, part: 'value', message: wrongValue(error, schema) }
  }
}

function unknownKey(key: string, schema: Record<string, unknown>): string {
  const known = isMap(schema['properties']) ? Object.keys(schema['properties']) : []
  const guess = nearest(key, known)
  const allowed = known.filter((word) => !word.startsWith('$'))
  return `unknown key${guess === undefined ? '' : `; did you mean "${guess}"?`}${sentence(guess, allowed)}`
}

function sentence(guess: string | undefined, allowed: readonly string[]): string {
  if (allowed.length === 0) return ''
  return `${guess === undefined ? '; allowed:' : ' Allowed:'} ${listWords(allowed)}`
}

function withExpectation(message: string, schema: unknown): string {
  const words = expected(schema)
  return words === undefined ? message : `${message}; expected ${words}`
}

function wrongValue(error: ErrorObject, schema: Record<string, unknown>): string {
  // A secret must not get into a log by way of an error.
  const shown = schema['writeOnly'] === true ? 'the value' : showValue(error.data)
  if (error.data === null) return withExpectation('no value', schema)
  const limit = Number((error.params as { limit?: unknown }).limit)
  switch (error.keyword) {
    case 'enum': {
      const allowed = allowedWords(schema)
      const guess = typeof error.data === 'string' && schema['writeOnly'] !== true ? nearest(error.data, allowed) : undefined
      return `${shown} is not allowed${guess === undefined ? '' : `; did you mean "${guess}"?`}${sentence(guess, allowed)}`
    }
    case 'type': {
      const words = withExpectation(`${shown} is not allowed`, schema)
      const unquoted =
        typeof error.data === 'string' && /^-?\d+$/.test(error.data) && ['integer', 'number'].includes(String(schema['type']))
      return unquoted ? `${words} (without quotes)` : words
    }
    case 'anyOf':
    case 'oneOf': {
      const forms = Array.isArray(error.schema) ? error.schema.map(expected).filter((words) => words !== undefined) : []
      return forms.length === 0 ? `${shown} is not allowed` : `${shown} is not allowed; expected ${forms.join(', or ')}`
    }
    case 'minLength':
      return limit === 1 ? 'the text is empty' : `the text is shorter than ${limit} characters`
    case 'maxLength':
      return `the text is longer than ${limit} characters`
    case 'minItems':
    case 'minProperties':
      return limit === 1 ? `${shown} is not allowed; at least one entry is needed` : `fewer than ${limit} entries`
    case 'maxItems':
    case 'maxProperties':
      return `more than ${limit} entries`
    case 'minimum':
    case 'maximum':
    case 'const':
    case 'pattern':
      return withExpectation(
        `${shown} is not allowed`,
        schema['x-expects'] === undefined && error.keyword === 'pattern'
          ? { 'x-expects': `a text that matches ${String(schema['pattern'])}` }
          : schema,
      )
    default:
      return `${shown} ${error.message ?? 'is not allowed'}`
  }
}

/** The path that a JSON pointer stands for: indices of lists as numbers. */
function pointerPath(pointer: string, root: unknown): KeyPath {
  let here: unknown = root
  return pointer
    .split('/')
    .slice(1)
    .map((step) => {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
      const inList = Array.isArray(here)
      here = isMap(here) || inList ? (here as Record<string, unknown>)[key] : undefined
      return inList ? Number(key) : key
    })
}
