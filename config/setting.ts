import { ConfigError, type JsonSchema } from '../core/index.ts'
import { beamSchema } from './beam-schema.ts'
import type { SchemaOf } from './catalogue.ts'
import { formatKeyPath, isMap, parseKeyPath, valueAt, type KeyPath } from './key-path.ts'
import type { LoadedConfig } from './load-config.ts'
import { nearest } from './nearest.ts'
import { isMapOfNamed, schemasAt } from './schema-walk.ts'
import { listWords } from './show-value.ts'

/** What is known about a setting. */
export interface Setting {
  /** The schemas that describe its value; empty when a backend without a schema, or nobody, knows it. */
  readonly schemas: readonly JsonSchema[]
  /** Whether some schema allows the path; settings of a backend that is not installed are not known and so may be right. */
  readonly known: boolean
}

/** Looks a setting up: in Beam's own schema, or in that of the backend whose block it belongs to. */
export async function settingAt(path: KeyPath, config: unknown, schemaOf: SchemaOf): Promise<Setting> {
  const own = await backendSchema(path, config, schemaOf)
  if (own === 'foreign') return { schemas: [], known: true }
  const schemas = own === undefined ? schemasAt(beamSchema, path) : schemasAt(own, path.slice(3))
  return { schemas, known: schemas.length > 0 }
}

async function backendSchema(path: KeyPath, config: unknown, schemaOf: SchemaOf): Promise<JsonSchema | 'foreign' | undefined> {
  if (path[0] !== 'backends' || path[2] !== 'config') return undefined
  const step = path[1] ?? ''
  const name = typeof step === 'string' ? step : valueAt(config, ['backends', step, 'name'])
  return (typeof name === 'string' ? await schemaOf(name) : undefined) ?? 'foreign'
}

/**
 * Refuses a path that no schema knows.
 * @throws ConfigError with the nearest match
 */
export async function requireSetting(path: KeyPath, config: unknown, schemaOf: SchemaOf): Promise<Setting> {
  const setting = await settingAt(path, config, schemaOf)
  if (setting.known) return setting
  for (let length = 0; length < path.length; length++) {
    const start = path.slice(0, length)
    const wrong = path[length] ?? ''
    if ((await settingAt([...start, wrong], config, schemaOf)).known) continue
    const around = (await settingAt(start, config, schemaOf)).schemas
    const words = [...new Set(around.flatMap((schema) => (isMap(schema['properties']) ? Object.keys(schema['properties']) : [])))]
    const known = words.filter((word) => !word.startsWith('$'))
    const guess = nearest(String(wrong), known)
    throw new ConfigError(`There is no setting ${formatKeyPath(path)}.`, {
      hint:
        guess === undefined
          ? `${start.length === 0 ? 'There are' : `${formatKeyPath(start)} has`}: ${listWords(known)}`
          : `Did you mean ${formatKeyPath([...start, guess, ...path.slice(length + 1)])}?`,
    })
  }
  return setting
}

/**
 * What a configuration says under a path as it is typed, or undefined when it says nothing there.
 * @throws ConfigError when there is no such setting
 */
export async function getSetting({ config, catalogue }: Pick<LoadedConfig, 'config' | 'catalogue'>, text: string): Promise<unknown> {
  const path = parseKeyPath(text)
  const value = valueAt(config, path)
  if (value === undefined) await requireSetting(path, config, catalogue.schemaOf)
  return value
}

/** Whether the list at this path holds things that are addressed by their names. */
export function holdsNamed(path: KeyPath): boolean {
  return schemasAt(beamSchema, path).some((schema) => isMapOfNamed(schema, beamSchema))
}
