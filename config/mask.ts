import type { SchemaOf } from './catalogue.ts'
import { isMap, type KeyPath } from './key-path.ts'
import { isSecret } from './schema-walk.ts'
import { settingAt } from './setting.ts'

/** What is shown in place of a secret. */
const MASK = '(hidden)'

/** Names of settings that hold secrets as a rule: for backends whose schema is not at hand or does not say it. */
const SECRET_NAME = /pass(word|phrase|wd)?$|secret|token|private|seed$|credential|auth_?cookie$/i

/** A copy of a value in which secrets are masked: what a schema marks `writeOnly`, and in backends' blocks what is called like a secret. */
export async function maskSecrets(value: unknown, schemaOf: SchemaOf, config: unknown = value, path: KeyPath = []): Promise<unknown> {
  return replaceSecrets(value, { schemaOf, config, path, replace: () => MASK })
}

/** A secret that was taken out of a configuration. */
export interface TakenSecret {
  /** Where it stood, with the names of things for their places in lists. */
  readonly path: readonly string[]
  readonly value: unknown
}

/** A copy of a value without its secrets, and the secrets. */
export async function takeSecrets(
  value: unknown,
  { schemaOf, config, path }: { readonly schemaOf: SchemaOf; readonly config: unknown; readonly path: KeyPath },
): Promise<{ readonly value: unknown; readonly secrets: readonly TakenSecret[] }> {
  const secrets: TakenSecret[] = []
  const replace = (secret: unknown, at: KeyPath): undefined => void secrets.push({ path: at.map(String), value: secret })
  const copy = await replaceSecrets(value, { schemaOf, config, path, replace })
  return { value: copy, secrets }
}

interface Walk {
  readonly schemaOf: SchemaOf
  readonly config: unknown
  readonly path: KeyPath
  /** What stands in place of a secret; undefined takes its key away. */
  readonly replace: (secret: unknown, path: KeyPath) => unknown
}

async function replaceSecrets(value: unknown, walk: Walk): Promise<unknown> {
  const { schemaOf, config, path, replace } = walk
  if (value === undefined || value === null) return value
  const { schemas } = await settingAt(path, config, schemaOf)
  const inBlock = path[0] === 'backends' && path[2] === 'config'
  const name = path[path.length - 1]
  const called = inBlock && path.length > 3 && typeof name === 'string' && SECRET_NAME.test(name) && typeof value !== 'boolean'
  if (isSecret(schemas) || called) return replace(value, path)
  const inner = (child: unknown, step: string | number): Promise<unknown> => replaceSecrets(child, { ...walk, path: [...path, step] })
  if (Array.isArray(value)) return (await Promise.all(value.map(inner))).filter((item) => item !== undefined)
  if (!isMap(value)) return value
  const entries = await Promise.all(Object.entries(value).map(async ([key, child]) => [key, await inner(child, key)] as const))
  return Object.fromEntries(entries.filter(([, child]) => child !== undefined))
}
