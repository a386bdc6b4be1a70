import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { JsonSchema } from '../core/index.ts'
import { findings, type Finding } from './schema-problem.ts'

/** Annotations of ours, without effect on validity: the variable, the other setting and the words for people. */
const ANNOTATIONS = ['x-env', 'x-from', 'x-expects']

const compiled = new WeakMap<JsonSchema, ValidateFunction>()

/** A schema that cannot be used: not JSON Schema 2020-12, or with references that lead nowhere. */
export class BadSchemaError extends Error {}

/**
 * Makes sure that a schema can be used.
 * @throws BadSchemaError
 */
export function requireUsable(schema: JsonSchema): void {
  if (!compiled.has(schema)) compile(schema)
}

/**
 * Checks a value against a schema and fills in its defaults (in place). Returns what is wrong.
 * @throws BadSchemaError
 */
export function validate(schema: JsonSchema, value: unknown): Finding[] {
  const check = compiled.get(schema) ?? compile(schema)
  return check(value) ? [] : findings(check.errors ?? [], value)
}

function compile(schema: JsonSchema): ValidateFunction {
  // An instance for each schema: two plugins may use the same $id.
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, verbose: true, strict: false, logger: false })
  ajv.addVocabulary(ANNOTATIONS)
  let check: ValidateFunction
  try {
    if (schema['$async'] !== undefined) throw new Error('$async is not supported')
    check = ajv.compile(schema)
  } catch (cause) {
    throw new BadSchemaError((cause as Error).message, { cause })
  }
  compiled.set(schema, check)
  return check
}
