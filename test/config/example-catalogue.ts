import { createRequire } from 'node:module'
import { KNOWN_BACKENDS, type CatalogueOptions } from '../../config/index.ts'
import type { JsonSchema } from '../../core/index.ts'

const meshSchema = createRequire(import.meta.url)('../../schemas/backends/mesh.schema.json') as JsonSchema

/** The schema of a backend of somebody else, in a style of its own. */
const tinCanSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://tin-can.example/config.json',
  type: 'object',
  required: ['url'],
  additionalProperties: false,
  properties: {
    url: { type: 'string', 'x-env': 'BEAM_TIN_CAN_URL' },
    string: { type: 'string', pattern: '^[0-9]+m$', default: '10m' },
    length: { $ref: '#/$defs/length' },
    knot: { anyOf: [{ type: 'string', enum: ['bowline', 'reef'] }, { type: 'boolean' }] },
    password: { type: 'string', writeOnly: true },
    peers: { type: 'integer', 'x-from': 'p2p.maxPeers', maximum: 500 },
  },
  $defs: { length: { type: 'number', maximum: 100 } },
}

/** An installation with the mesh and a plugin called tin-can. */
export const exampleCatalogue: Required<Pick<CatalogueOptions, 'schemaOf' | 'knownBackends'>> = {
  schemaOf: (name) => ({ mesh: meshSchema, 'tin-can': tinCanSchema })[name],
  knownBackends: [...KNOWN_BACKENDS, 'tin-can'],
}
