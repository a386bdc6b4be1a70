import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'
import { requireUsable } from '../../config/validator.ts'
import { BUILTINS } from '../../plugins/builtins.ts'

// Beam takes this for granted when it runs.
it.each(Object.keys(BUILTINS))('the schema of %s is one of JSON Schema 2020-12, and can be compiled', async (name) => {
  const { configSchema } = await BUILTINS[name]!()
  expect(new Ajv2020({ strict: false }).validateSchema(configSchema)).toBe(true)
  expect(() => requireUsable(configSchema)).not.toThrow()
})
