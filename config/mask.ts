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
  if (value === undefined || value === null) return value
  const { schemas } = await settingAt(path, config, schemaOf)
  const inBlock = path[0] === 'backends' && path[2] === 'config'
  const name = path[path.length - 1]
  const called = inBlock && path.length > 3 && typeof name === 'string' && SECRET_NAME.test(name) && typeof value !== 'boolean'
  if (isSecret(schemas) || called) return MASK
  if (Array.isArray(value)) return Promise.all(value.map(async (item, index) => maskSecrets(item, schemaOf, config, [...path, index])))
  if (!isMap(value)) return value
  const entries = Object.entries(value).map(
    async ([key, child]) => [key, await maskSecrets(child, schemaOf, config, [...path, key])] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}
