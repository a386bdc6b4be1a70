import type { JsonSchema } from '../core/index.ts'
import { isMap, type KeyPath } from './key-path.ts'

/** Longest chain of references that is followed: a schema of a plugin may refer to itself. */
const MAX_REFERENCES = 16

/** The schema and everything that it refers to or combines and that applies to the same value. */
function applicable(schema: unknown, root: JsonSchema, depth = 0): JsonSchema[] {
  if (!isMap(schema) || depth > MAX_REFERENCES) return []
  const more: unknown[] = [schema['then'], schema['else']]
  for (const word of ['allOf', 'anyOf', 'oneOf']) if (Array.isArray(schema[word])) more.push(...(schema[word] as unknown[]))
  if (typeof schema['$ref'] === 'string') more.push(referred(schema['$ref'], root))
  return [schema, ...more.flatMap((other) => applicable(other, root, depth + 1))]
}

function referred(reference: string, root: JsonSchema): unknown {
  if (!reference.startsWith('#')) return undefined
  const steps = reference.slice(1).split('/').slice(1)
  return steps.reduce<unknown>((here, step) => (isMap(here) ? here[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined), root)
}

/** The schemas that apply to what one key or index of a value holds. */
function childSchemas(schemas: readonly JsonSchema[], step: string | number, root: JsonSchema): JsonSchema[] {
  return schemas.flatMap((schema) => {
    const properties = schema['properties']
    if (isMap(properties) && Object.hasOwn(properties, step)) return applicable(properties[step], root)
    if (isMap(schema['items']) && (typeof step === 'number' || isMapOfNamed(schema, root))) return applicable(schema['items'], root)
    return applicable(schema['additionalProperties'], root)
  })
}

/** Whether a schema describes a list of things that are addressed by their name. */
export function isMapOfNamed(schema: JsonSchema, root: JsonSchema): boolean {
  return applicable(schema['items'], root).some((item) => isMap(item['properties']) && Object.hasOwn(item['properties'], 'name'))
}

/** The schemas that apply to the value at a path; empty when none is known. */
export function schemasAt(root: JsonSchema, path: KeyPath): JsonSchema[] {
  return path.reduce<JsonSchema[]>((schemas, step) => childSchemas(schemas, step, root), applicable(root, root))
}

/** A property, with the schemas that apply to it. */
export interface Property {
  readonly path: readonly string[]
  readonly schemas: readonly JsonSchema[]
}

/** Every property of maps within maps, outer ones first. */
export function everyProperty(root: JsonSchema): Property[] {
  const found: Property[] = []
  const walk = (schemas: readonly JsonSchema[], path: readonly string[]): void => {
    if (path.length > MAX_REFERENCES) return
    if (path.length > 0) found.push({ path, schemas })
    const keys = new Set(schemas.flatMap((schema) => (isMap(schema['properties']) ? Object.keys(schema['properties']) : [])))
    for (const key of keys) walk(childSchemas(schemas, key, root), [...path, key])
  }
  walk(applicable(root, root), [])
  return found
}

/** A property with an annotation that says where its value may come from. */
export interface Annotated extends Property {
  readonly value: string
}

/** Every property that carries the annotation. */
export function annotated(root: JsonSchema, keyword: 'x-env' | 'x-from'): Annotated[] {
  return everyProperty(root).flatMap((property) => {
    const value = property.schemas.map((schema) => schema[keyword]).find((word) => typeof word === 'string')
    return value === undefined ? [] : [{ ...property, value }]
  })
}

/** Whether a value may be shown: a property marked `writeOnly` may not. */
export function isSecret(schemas: readonly JsonSchema[]): boolean {
  return schemas.some((schema) => schema['writeOnly'] === true)
}
