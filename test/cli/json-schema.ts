import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'

/** Fails unless the value is what `schemas/<name>.schema.json` describes. */
export function expectValid(name: 'events' | 'doctor' | 'key' | 'onion', value: unknown): void {
  const schema = JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as object
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true })
  const valid = ajv.validate(schema, value)
  expect(valid, `${JSON.stringify(value)}\n${ajv.errorsText()}`).toBe(true)
}
