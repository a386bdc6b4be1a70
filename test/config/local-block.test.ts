import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { localBlock } from '../../config/local-block.ts'
import type { JsonSchema } from '../../core/index.ts'

it('takes the values that the schema states for this machine, and leaves the rest', () => {
  const given = { mdns: 'on', maxLinks: 7, listen: { host: '::', port: 80 } }
  const schema = createRequire(import.meta.url)('../../schemas/backends/mesh.schema.json') as JsonSchema
  const { block, settings } = localBlock(schema, given)
  const elsewhere = { bootstrap: [], peers: [], dns: '', mdns: 'off', portmap: 'off' }
  expect(block).toEqual({ ...elsewhere, maxLinks: 7, listen: { host: '127.0.0.1', port: 80 } })
  expect(settings.map(({ path }) => path)).toEqual(['bootstrap', 'peers', 'dns', 'mdns', 'portmap', 'listen.host'])
  expect(given.listen.host).toBe('::')
})

it('changes nothing where the schema states nothing', () => {
  expect(localBlock({ type: 'object', properties: { a: { type: 'string' } } }, { a: 'b' })).toEqual({ block: { a: 'b' }, settings: [] })
  expect(localBlock({ type: 'object' }, undefined)).toEqual({ block: {}, settings: [] })
})
