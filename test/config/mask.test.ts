import { describe, expect, it } from 'vitest'
import { maskSecrets } from '../../config/index.ts'
import { exampleCatalogue } from './example-catalogue.ts'

const mask = (config: unknown) => maskSecrets(config, exampleCatalogue.schemaOf)

describe('maskSecrets()', () => {
  it('masks what a schema marks, wherever it stands', async () => {
    const tunnels = [{ name: 'web', port: 1, access: { secret: 'hush', allow: ['key'] } }]
    expect(await mask({ tunnels })).toEqual({ tunnels: [{ name: 'web', port: 1, access: { secret: '(hidden)', allow: ['key'] } }] })
    expect(await mask({ backends: [{ name: 'tin-can', config: { url: 'u', password: 'p' } }] })).toEqual({
      backends: [{ name: 'tin-can', config: { url: 'u', password: '(hidden)' } }],
    })
  })

  it('masks what is called like a secret in blocks whose schema is not at hand', async () => {
    const config = {
      control_password: 'p',
      api_token: 't',
      inner: { private_key: [1], tor_port: 9050 },
      passport: 'x',
      secret: true,
      none: null,
    }
    expect(await mask({ backends: [{ name: 'tor', config }] })).toEqual({
      backends: [
        {
          name: 'tor',
          config: {
            control_password: '(hidden)',
            api_token: '(hidden)',
            inner: { private_key: '(hidden)', tor_port: 9050 },
            passport: 'x',
            secret: true,
            none: null,
          },
        },
      ],
    })
  })
})
