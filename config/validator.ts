import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { JsonSchema } from '../core/index.ts'
import { findings, type Finding } from './schema-problem.ts'

/** Annotations of ours, without effect on validity: the variable, the other setting, the words for people, the value that stays at home. */
const ANNOTATIONS = ['x-env', 'x-from', 'x-expects', 'x-local']

const compiled = new WeakMap<JsonSchema, ValidateFunction>()

/** Checks schemas themselves: compiled for the first schema that is not our own, since that takes as long as all the rest. */
let metaschema: Ajv2020 | undefined

/** Schemas of our own, which the tests have checked. */
const own = new WeakSet<JsonSchema>()

/** A schema that cannot be used: not JSON Schema 2020-12, or with references that lead nowhere. */
class BadSchemaError extends Error {}

/** Takes for granted that a schema can be used, since it is one of our own: to check it takes longer than to compile it. */
export function declareOwn(schema: JsonSchema): void {
  own.add(schema)
}

/**
 * Makes sure that a schema of a plugin can be used; {@link validate} takes for granted that it can.
 * @throws BadSchemaError
 */
export function requireUsable(schema: JsonSchema): void {
  if (compiled.has(schema) || own.has(schema)) return
  try {
    if (schema['$async'] !== undefined) throw new Error('$async is not supported')
    metaschema ??= new Ajv2020({ logger: false })
    if (metaschema.validateSchema(schema) !== true) throw new Error(metaschema.errorsText(metaschema.errors, { dataVar: 'schema' }))
    compile(schema)
  } catch (cause) {
    throw new BadSchemaError((cause as Error).message, { cause })
  }
}

/** Checks a value against a schema and fills in its defaults (in place). Returns what is wrong. */
export function validate(schema: JsonSchema, value: unknown): Finding[] {
  const check = compiled.get(schema) ?? compile(schema)
  return check(value) ? [] : findings(check.errors ?? [], value)
}

function compile(schema: JsonSchema): ValidateFunction {
  // An instance for each schema: two plugins may use the same $id.
  const options = {
    allErrors: true,
    useDefaults: true,
    verbose: true,
    strict: false,
    logger: false,
    meta: false,
    validateSchema: false,
  } as const
  const check = new Ajv2020(options).addVocabulary(ANNOTATIONS).compile(schema)
  compiled.set(schema, check)
  return check
}
