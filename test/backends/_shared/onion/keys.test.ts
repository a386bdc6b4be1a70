import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuthorizedClients } from '../../../../backends/_shared/onion/keys/authorized-clients.ts'
import {
  generateClientKeyPair,
  parseClientPrivateKey,
  parseClientPublicKey,
  publicOf,
} from '../../../../backends/_shared/onion/keys/client-key.ts'
import { OnionKeyStore } from '../../../../backends/_shared/onion/keys/onion-key-store.ts'
import { encodeBase32 } from '../../../../backends/_shared/onion/base32.ts'
import { ANYONE } from '../../../../backends/ator/flavour.ts'
import { TOR } from '../../../../backends/tor/flavour.ts'
import { isBeamError } from '../../../../core/index.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-onion-keys-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const ID = '5jfgyy7ctrjavpxvkb5rglwf7gkuo5vox27hxescd3vgsfcg2iwfmxqd'
const posix = process.platform !== 'win32'

describe('the key of a named service', () => {
  it('is the same again, for others at the same time too, and readable by its owner only', async () => {
    const store = new OnionKeyStore(folder, TOR)
    const [a, b] = await Promise.all([store.serviceKey('web'), new OnionKeyStore(folder, TOR).serviceKey('web')])
    expect(a.id).toBe(b.id)
    expect((await store.serviceKey('web')).id).toBe(a.id)
    expect((await store.serviceKey('other')).id).not.toBe(a.id)
    if (posix) expect((await stat(join(folder, 'keys/web.key'))).mode & 0o777).toBe(0o600)
  })

  it('moves to another machine', async () => {
    const here = new OnionKeyStore(join(folder, 'a'), TOR)
    const there = new OnionKeyStore(join(folder, 'b'), TOR)
    const { id } = await here.serviceKey('web')
    const material = await here.exportKey('web')
    if (material === undefined) throw new Error('nothing exported')
    await there.importKey('web', material, { replace: false })
    await there.importKey('web', material, { replace: false })
    expect((await there.serviceKey('web')).id).toBe(id)
    expect(await there.exportKey('none')).toBeUndefined()

    const other = await here.serviceKey('other')
    const foreign = (await here.exportKey('other')) ?? Buffer.alloc(0)
    await expect(there.importKey('web', foreign, { replace: false })).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_EXISTS' })
    await there.importKey('web', foreign, { replace: true })
    expect((await there.serviceKey('web')).id).toBe(other.id)
  })

  it('of another network, damaged, or swapped is refused, and never shown', async () => {
    const store = new OnionKeyStore(folder, TOR)
    await store.serviceKey('web')
    const material = (await store.exportKey('web')) ?? Buffer.alloc(0)
    await expect(new OnionKeyStore(folder, ANYONE).importKey('x', material, { replace: false })).rejects.toMatchObject({
      code: 'BEAM_ERR_KEY_STORAGE',
    })
    const path = join(folder, 'keys/web.key')
    const text = await readFile(path, 'utf8')
    await writeFile(
      path,
      text.replace(/key of ./, (found) => `${found.slice(0, -1)}${found.endsWith('a') ? 'b' : 'a'}`),
    )
    const failure = (await store.serviceKey('web').catch((error: unknown) => error)) as Error
    expect(failure).toMatchObject({ code: 'BEAM_ERR_KEY_STORAGE' })
    expect(failure.message).not.toContain(text.split('\n')[2])
  })

  it.runIf(posix)('that others can read is not used', async () => {
    const store = new OnionKeyStore(folder, TOR)
    await store.serviceKey('web')
    await chmod(join(folder, 'keys/web.key'), 0o644)
    await expect(store.serviceKey('web')).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_STORAGE' })
  })

  it('is not looked for outside its folder', async () => {
    await expect(new OnionKeyStore(folder, TOR).serviceKey('../web')).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_INVALID' })
  })
})

describe('keys of visitors', () => {
  it('are read in every form that people have', () => {
    const { publicKey, privateKey } = generateClientKeyPair()
    const secret = encodeBase32(Buffer.from(privateKey, 'base64'))
    expect(publicOf(privateKey)).toBe(publicKey)
    for (const text of [
      privateKey,
      privateKey.replace(/=+$/, ''),
      secret,
      secret.toUpperCase(),
      `${ID}:descriptor:x25519:${secret}`,
      ` x25519:${secret}\n`,
    ]) {
      expect(parseClientPrivateKey(text, ID)).toBe(privateKey)
    }
    for (const text of [publicKey, publicKey.toUpperCase(), `descriptor:x25519:${publicKey}`])
      expect(parseClientPublicKey(text)).toBe(publicKey)
  })

  it('are refused without being shown', () => {
    const secret = encodeBase32(Buffer.alloc(32, 9))
    const failure = (text: string): Error => {
      try {
        parseClientPrivateKey(text, ID)
      } catch (error) {
        return error as Error
      }
      throw new Error('taken')
    }
    expect(failure(`${'a'.repeat(56)}:descriptor:x25519:${secret}`).message).toContain('another address')
    expect(`${failure(`${secret}x`).message} ${failure(secret.slice(1)).stack ?? ''}`).not.toContain(secret.slice(1))
    expect(() => parseClientPublicKey(ID)).toThrow('no public key')
  })

  it('are keys or a ConfigError, whatever is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.jsonValue()), (value) => {
        for (const parse of [parseClientPublicKey, (text: unknown) => parseClientPrivateKey(text, ID)]) {
          try {
            expect(typeof parse(value)).toBe('string')
          } catch (error) {
            expect(isBeamError(error) && error.kind).toBe('config')
          }
        }
      }),
    )
  })
})

describe('who may visit a service', () => {
  it('is kept, and a service stays closed when its last visitor is removed', async () => {
    const clients = new AuthorizedClients(folder)
    const [alice, bob] = [generateClientKeyPair(), generateClientKeyPair()]
    expect(await clients.read('web')).toEqual({ service: 'web', protected: false, clients: [] })
    await clients.add('web', 'bob', bob.publicKey)
    await clients.add('web', 'alice', alice.publicKey)
    const again = new AuthorizedClients(folder)
    expect((await again.read('web')).clients).toEqual([
      { client: 'alice', publicKey: alice.publicKey },
      { client: 'bob', publicKey: bob.publicKey },
    ])
    await again.remove('web', 'alice')
    expect(await again.remove('web', 'bob')).toEqual({ service: 'web', protected: true, clients: [] })
    expect(await clients.list()).toEqual([{ service: 'web', protected: true, clients: [] }])
    expect((await clients.open('web')).protected).toBe(false)
    expect(await clients.list()).toEqual([])
    if (posix) {
      await clients.add('web', 'bob', bob.publicKey)
      expect((await stat(join(folder, 'clients/web.json'))).mode & 0o777).toBe(0o600)
    }
  })

  it.each([
    ['a bad name', 'a b', undefined],
    ['a bad key', 'alice', 'nonsense'],
    ['no key', 'alice', null],
  ])('refuses %s', async (_, client, key) => {
    const publicKey = key === undefined ? generateClientKeyPair().publicKey : key
    await expect(new AuthorizedClients(folder).add('web', client, publicKey)).rejects.toMatchObject({ kind: 'config' })
  })

  it('refuses a key that another name has, and a name that nobody has', async () => {
    const clients = new AuthorizedClients(folder)
    const { publicKey } = generateClientKeyPair()
    await clients.add('web', 'alice', publicKey)
    await expect(clients.add('web', 'bob', publicKey)).rejects.toThrow('alice')
    await expect(clients.remove('web', 'bob')).rejects.toMatchObject({ kind: 'config', hint: expect.stringContaining('alice') as string })
  })

  it('never opens a service because its list is damaged', async () => {
    const clients = new AuthorizedClients(folder)
    await clients.add('web', 'alice', generateClientKeyPair().publicKey)
    await writeFile(join(folder, 'clients/web.json'), '{"clients":[{"client":"alice"}]}')
    await expect(clients.read('web')).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_STORAGE' })
  })
})
