import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toI2pBase64 } from '../../../backends/i2p/base64.ts'
import { I2pKeyStore, readKeyFile } from '../../../backends/i2p/key-store.ts'
import { generateKeys, readKeys } from '../../../backends/i2p/keys.ts'
import { destReply, randomPrivateKey } from './keys-for-tests.ts'
import { greeting, ScriptedRouter } from './scripted-router.ts'

let folder: string
let store: I2pKeyStore
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-i2p-keys-'))
  store = new I2pKeyStore({ data: folder })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const someKeys = (blob = randomPrivateKey()): NonNullable<ReturnType<typeof readKeys>> => readKeys(blob) ?? expect.unreachable()

describe('key files', () => {
  it('are there before the keys are used, for their owner only, and give the same keys again', async () => {
    const keys = someKeys()
    expect(await store.readOrMake('service', 'web', async () => keys)).toEqual(keys)
    const path = join(folder, 'i2p', 'service-web.key')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await store.readOrMake('service', 'web', () => expect.unreachable())).toEqual(keys)
  })
  it('that are damaged are refused instead of giving another address, and what they hold is not repeated', async () => {
    const { secret } = await store.readOrMake('service', 'web', async () => someKeys())
    const path = join(folder, 'i2p', 'service-web.key')
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace(secret.slice(100, 104), secret.slice(100, 104) === 'AAAA' ? 'BBBB' : 'AAAA'),
    )
    await expect(store.read('service', 'web')).rejects.toMatchObject({
      code: 'BEAM_ERR_KEY_STORAGE',
      message: expect.not.stringContaining(secret.slice(200, 240)) as string,
    })
  })
  it('that others can read are refused', async () => {
    await store.readOrMake('service', 'web', async () => someKeys())
    await chmod(join(folder, 'i2p', 'service-web.key'), 0o644)
    await expect(store.read('service', 'web')).rejects.toThrow('can be read')
  })
  it('with names that lead out of the folder are refused', async () => {
    await expect(store.read('service', '../x')).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_INVALID' })
  })
})

describe('--key-file', () => {
  it.each([
    ['the bytes that routers keep', (blob: Buffer) => blob],
    ['base64', (blob: Buffer) => Buffer.from(`${toI2pBase64(blob)}\n`)],
  ])('takes %s', async (_form, written) => {
    const blob = randomPrivateKey()
    const path = join(folder, 'vanity.dat')
    await writeFile(path, written(blob), { mode: 0o600 })
    const keys = await readKeyFile(path)
    expect(keys).toEqual(someKeys(blob))
    expect(await store.import('web', keys)).toEqual(keys)
    expect(await store.import('web', keys)).toEqual(keys)
    await expect(store.import('web', someKeys())).rejects.toThrow('has other I2P keys than the file')
  })
  it.each([
    ['nothing', ''],
    ['a text', 'hello'],
    ['a public key', toI2pBase64(randomPrivateKey().subarray(0, 391))],
  ])('refuses %s', async (_what, content) => {
    const path = join(folder, 'wrong')
    await writeFile(path, content, { mode: 0o600 })
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_STORAGE' })
  })
  it('says that there is none', async () => {
    await expect(readKeyFile(join(folder, 'absent'))).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_STORAGE' })
  })
})

describe('keys from the router', () => {
  it('are of type 7', async () => {
    const blob = randomPrivateKey()
    await using router = await ScriptedRouter.start(greeting(() => destReply(blob)))
    expect(await generateKeys(router.at, {})).toEqual(someKeys(blob))
    expect(router.heard('DEST')).toEqual(['DEST GENERATE SIGNATURE_TYPE=7'])
  })
  it('are refused when the halves do not fit', async () => {
    const other = destReply().split(' ')[2] ?? ''
    await using router = await ScriptedRouter.start(greeting(() => `DEST REPLY ${other} ${destReply().split(' ')[3]}`))
    await expect(generateKeys(router.at, {})).rejects.toThrow('do not fit')
  })
})
