import type { JsonSchema } from '../core/index.ts'
import { overridesFor, setIn, type Override } from './environment.ts'
import { isMap, parseKeyPath, valueAt, type KeyPath } from './key-path.ts'
import type { Environment } from './paths.ts'
import type { Finding } from './schema-problem.ts'
import { annotated } from './schema-walk.ts'
import { validate } from './validator.ts'

/** A backend's own settings, complete, and where those came from that are not its block's. */
export interface ResolvedBlock {
  readonly block: Record<string, unknown>
  readonly findings: readonly Finding[]
  readonly overrides: readonly Override[]
  /** Settings taken from elsewhere in the configuration: path in the block → path there. */
  readonly borrowed: readonly { readonly path: KeyPath; readonly from: KeyPath }[]
}

/**
 * Completes and checks a backend's block: the environment wins over the block, the block over other settings that its schema names
 * (`x-from`), those over the schema's defaults.
 *
 * @param shared the configuration around the block, with its defaults
 */
export function resolveBlock(schema: JsonSchema, given: unknown, shared: unknown, env: Environment): ResolvedBlock {
  const block = isMap(given) ? structuredClone(given) : {}
  const borrowed = annotated(schema, 'x-from').flatMap(({ path, value: name }) => {
    const from = readPath(name)
    const value = valueAt(shared, from)
    if (value === undefined || valueAt(block, path) !== undefined) return []
    return setIn(block, path, structuredClone(value)) ? [{ path, from }] : []
  })
  const overrides = overridesFor(schema, env).filter(({ path, value }) => setIn(block, path, value))
  return { block, findings: validate(schema, block), overrides, borrowed }
}

/** A path in a plugin's schema: a wrong one leads nowhere. */
function readPath(name: string): KeyPath {
  try {
    return parseKeyPath(name)
  } catch {
    return [name]
  }
}
