import type { JsonSchema } from '../core/index.ts'
import { isMap, type KeyPath } from './key-path.ts'
import { editDistance } from './nearest.ts'
import type { Environment } from './paths.ts'
import { annotated } from './schema-walk.ts'
import { parseSource } from './source.ts'

/** Longest value of a variable that is read. */
const MAX_VALUE_LENGTH = 16 * 1024

/** A setting that an environment variable gives. */
export interface Override {
  readonly variable: string
  readonly path: KeyPath
  /** What the variable says, in the type that the schema wants where it can be read so. */
  readonly value: unknown
}

/** The settings that the environment gives, by the `x-env` annotations of a schema. Empty variables are as good as absent. */
export function overridesFor(schema: JsonSchema, env: Environment): Override[] {
  return annotated(schema, 'x-env').flatMap(({ path, schemas, value: variable }) => {
    const text = env[variable]
    return text === undefined || text === '' ? [] : [{ variable, path, value: readText(text.slice(0, MAX_VALUE_LENGTH), schemas) }]
  })
}

/** Variables that `schema` declares. */
export function variablesOf(schema: JsonSchema): string[] {
  return annotated(schema, 'x-env').map(({ value }) => value)
}

/**
 * A value that is given as a text (variable, command line), in the type that the schema wants: lists as `a,b` or `[a, b]` and `none` for
 * an empty one. What cannot be read so stays a text or what YAML makes of it, and validation tells.
 */
export function readText(text: string, schemas: readonly JsonSchema[]): unknown {
  const types = new Set(schemas.flatMap((schema) => [schema['type']].flat()))
  if (types.size === 1 && types.has('string')) return text
  const words = schemas.flatMap((schema) => (Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : []))
  if (words.includes(text)) return text
  if (types.has('array') && !text.trimStart().startsWith('[')) {
    return text === 'none' ? [] : text.split(',').map((word) => readText(word.trim(), itemSchemas(schemas)))
  }
  return readYaml(text)
}

function itemSchemas(schemas: readonly JsonSchema[]): JsonSchema[] {
  const items = schemas.map((schema) => schema['items']).filter(isMap)
  // A list whose items are described elsewhere (by reference) holds texts: that is so in all schemas of ours.
  return items.some((item) => item['type'] !== undefined) ? items : [{ type: 'string' }]
}

function readYaml(text: string): unknown {
  const { value, problems } = parseSource(text, '')
  return problems.length > 0 ? text : (value ?? text)
}

/** Sets a value in nested maps, making those that are missing. Does nothing where something else than a map stands in the way. */
export function setIn(root: Record<string, unknown>, path: KeyPath, value: unknown): boolean {
  let here = root
  for (const step of path.slice(0, -1)) {
    if (here[step] === undefined || here[step] === null) here[step] = {}
    const next = here[step]
    if (!isMap(next)) return false
    here = next
  }
  here[path[path.length - 1] ?? ''] = value
  return true
}

/** Variables that look like a slip of the pen for a known one. Others that start with BEAM_ may belong to plugins. */
export function misspelt(env: Environment, known: readonly string[]): { readonly written: string; readonly meant: string }[] {
  const written = Object.keys(env).filter((name) => name.startsWith('BEAM_') && !known.includes(name))
  return written.flatMap((name) => {
    const meant = known.find((word) => editDistance(name, word) <= 2)
    return meant === undefined ? [] : [{ written: name, meant }]
  })
}
