import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { resolveConfig, type BeamConfigInput } from '../../config/index.ts'
import { variablesOf } from '../../config/environment.ts'
import type { JsonSchema } from '../../core/index.ts'
import { exampleCatalogue } from './example-catalogue.ts'

const ROOT = join(import.meta.dirname, '../..')
const schema = (name: string): JsonSchema => createRequire(import.meta.url)(join(ROOT, 'schemas', name)) as JsonSchema
const page = await readFile(join(ROOT, 'docs/configuration.md'), 'utf8')

describe('the schemas', () => {
  it.each(['beam.config.schema.json', 'backends/mesh.schema.json', 'config-output.schema.json'])(
    '%s is strict JSON Schema 2020-12',
    (name) => {
      const ajv = new Ajv2020({ strict: true, allowUnionTypes: true }).addVocabulary(['x-env', 'x-from', 'x-expects', 'x-local'])
      expect(() => ajv.compile(schema(name))).not.toThrow()
    },
  )
})

describe('docs/configuration.md', () => {
  it('names every variable that the schemas declare, and no other', () => {
    const declared = ['beam.config.schema.json', 'backends/mesh.schema.json'].flatMap((name) => variablesOf(schema(name)))
    const named = [...page.matchAll(/^\| `(BEAM_[A-Z0-9_]+)` \|/gm)].map(([, name]) => name)
    expect(new Set(named)).toEqual(new Set([...declared, 'BEAM_CONFIG']))
    expect(named.length).toBe(new Set(named).size)
  })

  it('has examples that are valid', async () => {
    const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => parse(text ?? '') as BeamConfigInput)
    expect(examples.length).toBe(2)
    for (const example of examples) await expect(resolveConfig(example, exampleCatalogue)).resolves.toBeDefined()
  })

  it('has the messages that are given', async () => {
    const given = await readFile(join(ROOT, 'test/fixtures/config/bad/several-at-once.txt'), 'utf8')
    const shown = /^```text\n(.*?)^```$/ms.exec(page)?.[1]?.trimEnd().split('\n') ?? []
    expect(shown.length).toBe(3)
    for (const line of shown) expect(given.replaceAll('several-at-once', 'beam.config').replace(', tin-can', '')).toContain(line)
  })
})
