import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'

/** Fails unless the value is what `schemas/<name>.schema.json` describes. */
export function expectSchema(name: string, value: unknown): void {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  // Others take their description of capabilities from it.
  ajv.addSchema(read('backend-list'), 'backend-list.schema.json')
  expect(ajv.validate(read(name), value), `${JSON.stringify(value)}\n${ajv.errorsText()}`).toBe(true)
}

function read(name: string): object {
  return JSON.parse(readFileSync(new URL(`../../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as object
}
