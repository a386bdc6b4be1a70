import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'

/** A type without its names: what TypeScript and JSON Schema can both say. */
type Shape = 'string' | 'number' | 'boolean' | readonly string[] | { readonly items: Shape } | { readonly [property: string]: Shape }

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))

interface Schema {
  readonly $ref?: string
  readonly const?: string
  readonly enum?: readonly string[]
  readonly type?: string
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly $defs?: Readonly<Record<string, Schema>>
}

const schema = JSON.parse(readFileSync(path('schemas/events.schema.json'), 'utf8')) as Schema

function shapeOfSchema(given: Schema): Shape {
  const { $ref, const: constant, enum: values, type, items, properties = {}, required = [], additionalProperties } = given
  if ($ref !== undefined) return shapeOfSchema(schema.$defs?.[$ref.replace('#/$defs/', '')] ?? {})
  if (constant !== undefined) return [constant]
  if (values !== undefined) return values.toSorted()
  if (type === 'array') return { items: shapeOfSchema(items ?? {}) }
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'string' || type === 'boolean') return type
  expect(additionalProperties).toBe(false)
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [required.includes(name) ? name : `${name}?`, shapeOfSchema(value)]),
  )
}

function shapeOfType(type: ts.Type, checker: ts.TypeChecker): Shape {
  const parts = type.isUnion() ? type.types : [type]
  if (parts.every((part) => part.isStringLiteral())) return parts.map((part) => part.value).toSorted()
  if ((type.flags & ts.TypeFlags.String) !== 0) return 'string'
  if ((type.flags & ts.TypeFlags.Number) !== 0) return 'number'
  if ((type.flags & ts.TypeFlags.Boolean) !== 0) return 'boolean'
  const element = checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference)[0] : undefined
  if (element !== undefined) return { items: shapeOfType(element, checker) }
  return Object.fromEntries(
    checker.getPropertiesOfType(type).map((property) => {
      const optional = (property.flags & ts.SymbolFlags.Optional) !== 0
      return [
        optional ? `${property.name}?` : property.name,
        shapeOfType(checker.getNonNullableType(checker.getTypeOfSymbol(property)), checker),
      ]
    }),
  )
}

describe('schemas/events.schema.json', () => {
  let checker: ts.TypeChecker
  let exported: ReadonlyMap<string, ts.Type>

  beforeAll(() => {
    const file = path('core/tunnels/events.ts')
    const program = ts.createProgram([file], {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: true,
      types: [],
    })
    checker = program.getTypeChecker()
    const source = program.getSourceFile(file)
    const symbols = source === undefined ? [] : checker.getExportsOfModule(checker.getSymbolAtLocation(source) as ts.Symbol)
    exported = new Map(symbols.map((symbol) => [symbol.name, checker.getDeclaredTypeOfSymbol(symbol)]))
  }, 60_000)

  const byEvent = (shapes: readonly Shape[]): unknown =>
    Object.fromEntries(shapes.map((shape) => [String((shape as { event: string[] }).event), shape]))

  it.each([
    ['PublishEvent', 'publishEvent'],
    ['ConnectEvent', 'connectEvent'],
  ])('says the same as %s in core/tunnels/events.ts', (type, definition) => {
    const union = exported.get(type) as ts.UnionType
    const variants = schema.$defs?.[definition]?.oneOf ?? []
    expect(union.types.length).toBeGreaterThan(5)
    expect(variants).toHaveLength(union.types.length)
    expect(byEvent(variants.map(shapeOfSchema))).toEqual(byEvent(union.types.map((variant) => shapeOfType(variant, checker))))
  })
})
