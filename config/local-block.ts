import type { JsonSchema } from '../core/index.ts'
import { setIn } from './environment.ts'
import { formatKeyPath, isMap } from './key-path.ts'
import { everyProperty } from './schema-walk.ts'

/** A backend's block for a run that does not leave this machine. */
export interface LocalBlock {
  readonly block: Readonly<Record<string, unknown>>
  /** The settings that were changed, with their values; empty when the backend's schema names none. */
  readonly settings: readonly { readonly path: string; readonly value: unknown }[]
}

/** The block with the values that its schema gives, by the annotation `x-local`, for a run on this machine alone. */
export function localBlock(schema: JsonSchema, given: unknown): LocalBlock {
  const block = isMap(given) ? structuredClone(given) : {}
  const local = everyProperty(schema).flatMap(({ path, schemas }) => {
    const stated = schemas.find((one) => Object.hasOwn(one, 'x-local'))
    return stated === undefined ? [] : [{ path, value: stated['x-local'] }]
  })
  for (const { path, value } of local) setIn(block, path, structuredClone(value))
  const settings = local.map(({ path, value }) => ({ path: formatKeyPath(path), value }))
  return { block, settings }
}
