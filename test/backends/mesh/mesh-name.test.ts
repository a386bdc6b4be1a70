import { expect, it } from 'vitest'
import { meshName } from '../../../backends/mesh/mesh-name.ts'

it.each(['myapp.local', 'onion.example', 'a.onions'])('%s is a name for the mesh', (name) => {
  expect(meshName(name.toUpperCase())).toBe(name)
})

it.each(['example.onion', 'Example.ONION', 'www.example.i2p', 'x.b32.i2p', 'y.loki'])('%s is never asked for on the mesh', (name) => {
  expect(() => meshName(name)).toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_INVALID' }) as Error)
})
