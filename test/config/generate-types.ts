/**
 * Writes the TypeScript types of the configuration from its JSON Schemas; with `--check` says whether they are fresh, and exits with 1
 * when they are not. Run it with tsx: `npm run generate`, `npm run generate:check`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { compile } from 'json-schema-to-typescript'

/** Which schema becomes which file. */
const TARGETS = [
  { schema: 'schemas/beam.config.schema.json', file: 'config/beam-config.generated.ts', input: 'BeamConfigInput' },
  { schema: 'schemas/backends/anonet.schema.json', file: 'backends/anonet/config.generated.ts' },
  { schema: 'schemas/backends/i2p.schema.json', file: 'backends/i2p/config.generated.ts' },
  { schema: 'schemas/backends/mesh.schema.json', file: 'backends/mesh/config.generated.ts' },
  { schema: 'schemas/backends/tor.schema.json', file: 'backends/tor/config.generated.ts' },
  { schema: 'schemas/backends/ator.schema.json', file: 'backends/ator/config.generated.ts' },
  { schema: 'schemas/benchmark.schema.json', file: 'plugins/benchmark/report.generated.ts' },
] as const

const HEADER = (schema: string): string => `/**\n * Made from ${schema} by test/config/generate-types.ts; do not edit.\n */\n`

const FORMAT = { semi: false, singleQuote: true, printWidth: 140 } as const

type Schema = Record<string, unknown>

/** A copy in which properties with a default are required: what they are after validation, which fills defaults in. */
export function resolvedSchema(schema: Schema): Schema {
  return mapSchemas(schema, (each) => {
    const properties = each['properties'] as Record<string, Schema> | undefined
    if (properties === undefined) return each
    const given = Object.keys(properties).filter((key) => 'default' in (properties[key] ?? {}))
    return { ...each, required: [...new Set([...((each['required'] as string[] | undefined) ?? []), ...given])] }
  })
}

function mapSchemas(value: unknown, change: (schema: Schema) => Schema): Schema {
  const walk = (here: unknown): unknown => {
    if (Array.isArray(here)) return here.map(walk)
    if (typeof here !== 'object' || here === null) return here
    return change(Object.fromEntries(Object.entries(here).map(([key, child]) => [key, walk(child)])))
  }
  return walk(value) as Schema
}

/** A copy whose types have other names, for a second set of types in one file. */
function renamed(schema: Schema, suffix: string): Schema {
  return mapSchemas(schema, (each) => (typeof each['title'] === 'string' ? { ...each, title: `${each['title']}${suffix}` } : each))
}

async function typesOf(schema: Schema): Promise<string> {
  // Bounds of length become tuples of every length, which nobody can read; validation keeps them.
  const plain = mapSchemas(schema, ({ minItems: _minimum, maxItems: _maximum, default: _default, ...rest }) => rest)
  return compile(plain, String(schema['title']), {
    bannerComment: '',
    style: FORMAT,
    format: true,
    additionalProperties: false,
    unreachableDefinitions: false,
  })
}

/** The text of one generated file. */
export async function generate(root: URL, target: (typeof TARGETS)[number]): Promise<string> {
  const schema = JSON.parse(await readFile(new URL(target.schema, root), 'utf8')) as Schema
  const parts = [HEADER(target.schema), await typesOf(resolvedSchema(schema))]
  if ('input' in target) parts.push(await typesOf(renamed(schema, 'Input')))
  return parts.join('\n')
}

/** Writes what is stale, or only names it. */
export async function run(root: URL, options: { readonly check: boolean }): Promise<string[]> {
  const stale: string[] = []
  for (const target of TARGETS) {
    const file = new URL(target.file, root)
    const fresh = await generate(root, target)
    const present = await readFile(file, 'utf8').catch(() => undefined)
    if (present === fresh) continue
    stale.push(target.file)
    if (!options.check) await writeFile(file, fresh)
  }
  return stale
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const check = process.argv.includes('--check')
  const stale = await run(new URL('../../', import.meta.url), { check })
  for (const file of stale) console.log(check ? `${file} is stale: run npm run generate` : `${file} written`)
  if (check && stale.length > 0) process.exitCode = 1
}
