import { armor, Encrypter } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { generateIdentity } from '../../../core/index.ts'
import { parseKeys, seal, serializeKeys, unseal, type TunnelKeys } from '../../../plugins/tunnel-keys/index.ts'

const PASSPHRASE = 'correct horse battery'

describe('seal()', () => {
  it('gives what only the passphrase opens', async () => {
    const sealed = await seal('the keys', PASSPHRASE, { scryptLogN: 8 })
    expect(sealed).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    expect(await unseal(sealed, PASSPHRASE)).toBe('the keys')
    await expect(unseal(sealed, 'another passphrase')).rejects.toMatchObject({ code: 'BEAM_ERR_PASSPHRASE' })
    const bytes = armor.decode(sealed)
    bytes[bytes.length - 3]! ^= 1
    await expect(unseal(armor.encode(bytes), PASSPHRASE)).rejects.toMatchObject({ code: 'BEAM_ERR_EXPORT_INVALID' })
  })

  it('refuses a passphrase that can be guessed', async () => {
    await expect(seal('the keys', 'short')).rejects.toMatchObject({ code: 'BEAM_ERR_PASSPHRASE' })
  })

  it.each(['', 'no armour', '-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n', 'x'.repeat(200_000)])(
    'takes %# for damaged',
    async (sealed) => {
      await expect(unseal(sealed, PASSPHRASE)).rejects.toMatchObject({ code: 'BEAM_ERR_EXPORT_INVALID' })
    },
  )

  it('opens nothing that costs more memory than its own', async () => {
    const encrypter = new Encrypter()
    encrypter.setPassphrase(PASSPHRASE)
    encrypter.setScryptWorkFactor(2)
    const cheap = Buffer.from(await encrypter.encrypt('x')).toString('latin1')
    const dear = armor.encode(Buffer.from(cheap.replace(/ 2\n/, ' 20\n'), 'latin1'))
    await expect(unseal(dear, PASSPHRASE)).rejects.toMatchObject({ code: 'BEAM_ERR_EXPORT_INVALID' })
  })
})

describe('serializeKeys()', () => {
  const service = generateIdentity()
  const keys: TunnelKeys = {
    tunnel: 'web',
    service,
    backends: new Map([['tor', Buffer.from([1, 2, 3])]]),
    secrets: [{ path: ['tunnels', 'web', 'access', 'secret'], value: 'hush' }],
  }

  it('is read back by parseKeys()', () => {
    const read = parseKeys(serializeKeys(keys))
    expect(Buffer.from(read.service?.publicKey ?? [])).toEqual(Buffer.from(service.publicKey))
    expect({ ...read, service: undefined }).toEqual({ ...keys, service: undefined })
  })

  it.each([
    ['no JSON', () => '{'],
    ['another version', (text: string) => text.replace('"version":1', '"version":2')],
    ['another seed', (text: string) => text.replace(/"seed":"[^"]+"/, `"seed":"${Buffer.alloc(32, 7).toString('base64')}"`)],
    ['no base64', (text: string) => text.replace('AQID', '!!!!')],
    ['a path into the prototype', (text: string) => text.replace('"access"', '"__proto__"')],
  ])('%s is refused', (_, change) => {
    expect(() => parseKeys(change(serializeKeys(keys)))).toThrow('a form that this version of Beam does not know')
  })
})
