import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CleanupStack, isBeamError, openKeyStore, seedOf, signWith, verifySignature, type KeyStore } from '../../../core/index.ts'
import { startChild } from './child.ts'

const onPosix = process.platform !== 'win32'

let cleanup = new CleanupStack()
let data = ''
let store: KeyStore
beforeEach(async () => {
  data = join(await mkdtemp(join(tmpdir(), 'beam-k-')), 'data')
  store = openKeyStore({ data })
  cleanup.defer(() => rm(join(data, '..'), { recursive: true, force: true }))
})
afterEach(async () => {
  await cleanup[Symbol.asyncDispose]()
  cleanup = new CleanupStack()
})

const file = (name: string): string => join(data, 'keys', name)
const storageProblem = (message: string, hint: string): unknown =>
  expect.objectContaining({ code: 'BEAM_ERR_KEY_STORAGE', message: expect.stringContaining(message), hint: expect.stringContaining(hint) })

describe('openKeyStore', () => {
  it('makes a key on first use and gives the same one ever after, also to another store', async () => {
    const first = await store.serviceKey('web')
    const again = await openKeyStore({ data }).serviceKey('web')
    expect(again.publicKey).toEqual(first.publicKey)
    const message = Buffer.from('hello')
    expect(verifySignature(first.publicKey, message, signWith(again, message))).toBe(true)
  })

  it('takes a key from elsewhere, and replaces another one only when told to', async () => {
    const key = await store.serviceKey('web')
    await expect(store.storedServiceKey('copy')).resolves.toBeUndefined()
    for (let times = 0; times < 2; times += 1) await store.importServiceKey('copy', key)
    expect((await store.serviceKey('copy')).publicKey).toEqual(key.publicKey)
    const other = await store.serviceKey('api')
    await expect(store.importServiceKey('copy', other)).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_EXISTS' })
    await store.importServiceKey('copy', other, { replace: true })
    expect((await store.storedServiceKey('copy'))?.publicKey).toEqual(other.publicKey)
    await expect(store.importServiceKey('../x', other)).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_INVALID' })
  })

  it('keeps the keys of names and of the visitor apart', async () => {
    const keys = await Promise.all([store.serviceKey('web'), store.serviceKey('api'), store.serviceKey('visitor'), store.visitorKey()])
    expect(new Set(keys.map((key) => Buffer.from(key.publicKey).toString('hex'))).size).toBe(4)
    expect((await store.visitorKey()).publicKey).toEqual(keys[3].publicKey)
  })

  it('lists the names that have a key', async () => {
    expect(await store.list()).toEqual([])
    await Promise.all([store.serviceKey('web'), store.serviceKey('a.b'), store.visitorKey()])
    expect(await store.list()).toEqual(['a.b', 'web'])
  })

  it.runIf(onPosix)('writes files that nobody else can read, in a folder that nobody else can enter', async () => {
    await store.serviceKey('web')
    expect((await stat(file('service-web.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(join(data, 'keys'))).mode & 0o777).toBe(0o700)
    expect(await readdir(join(data, 'keys'))).toEqual(['service-web.key'])
  })

  it('gives one key to everybody who asks for a new one at the same time, in one process', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => store.serviceKey('web')))
    expect(new Set(keys.map((key) => Buffer.from(key.publicKey).toString('hex'))).size).toBe(1)
    expect(await readdir(join(data, 'keys'))).toEqual(['service-web.key'])
  })

  it('gives one key to two processes that ask for a new one at the same time', async () => {
    const children = await Promise.all([startChild(cleanup), startChild(cleanup)])
    for (let round = 0; round < 50; round++) {
      const [a, b] = await Promise.all(children.map((child) => child.ask({ do: 'service-key', data, name: `n${round}` })))
      expect(a).toMatch(/^[0-9a-f]{64}$/)
      expect(b).toBe(a)
    }
  })

  it.each(['', '.', '..', '../web', 'a/b', 'a\\b', 'Web', '-web', 'web-', 'wéb', 'a\0b', 'a b', 'a'.repeat(64)])(
    'refuses the name %j',
    async (name) => {
      await expect(store.serviceKey(name)).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_NAME_INVALID', kind: 'config' }))
      await expect(stat(data)).rejects.toThrow('ENOENT')
    },
  )

  it.each(['a', '0', 'api-server', 'a.b_c', 'con', 'a'.repeat(63)])('takes the name %j', async (name) => {
    await store.serviceKey(name)
    expect(await store.list()).toEqual([name])
  })

  it.runIf(onPosix).each([0o640, 0o604, 0o620, 0o666])('refuses a key file of mode %o and says how to mend it', async (mode) => {
    await store.serviceKey('web')
    await chmod(file('service-web.key'), mode)
    await expect(store.serviceKey('web')).rejects.toThrow(storageProblem('by other users', `chmod 600 ${file('service-web.key')}`))
    await chmod(file('service-web.key'), 0o600)
    await store.serviceKey('web')
  })

  it.runIf(onPosix)('makes no key in a folder that others can write to', async () => {
    await mkdir(join(data, 'keys'), { recursive: true })
    await chmod(join(data, 'keys'), 0o777)
    await expect(store.serviceKey('web')).rejects.toThrow(storageProblem('by other users', 'chmod 700'))
    expect(await readdir(join(data, 'keys'))).toEqual([])
  })

  it('refuses a damaged key instead of publishing under another address, and leaves the file alone', async () => {
    const identity = await store.serviceKey('web')
    const good = await readFile(file('service-web.key'), 'utf8')
    const other = await store.serviceKey('other')
    const damages = ['', 'x', good.slice(0, -30), good.toUpperCase(), good.replace(/beam/i, 'Boom'), '\0'.repeat(300), 'x'.repeat(5000)]
    // One letter of the private key changed: still a key, but not this one.
    const letter = good.indexOf('-----END') - 5
    damages.push(good.slice(0, letter) + (good[letter] === 'A' ? 'B' : 'A') + good.slice(letter + 1))
    // Another tunnel's key below this one's label.
    damages.push(good.slice(0, good.indexOf('\n')) + '\n' + String(other.privateKey.export({ format: 'pem', type: 'pkcs8' })))
    const seed = seedOf(identity).toString('base64').slice(0, 40)
    for (const damaged of damages) {
      await writeFile(file('service-web.key'), damaged)
      const error: unknown = await store.serviceKey('web').then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (!isBeamError(error)) throw new Error(`not refused: ${JSON.stringify(damaged)}`)
      expect(error.code).toBe('BEAM_ERR_KEY_STORAGE')
      expect([error.message, error.hint, String(error.cause)].join()).not.toContain(seed)
      expect(await readFile(file('service-web.key'), 'utf8')).toBe(damaged)
    }
  })

  it('does not take a visitor key for a service key', async () => {
    await store.visitorKey()
    await writeFile(file('service-web.key'), await readFile(file('visitor.key')), { mode: 0o600 })
    await expect(store.serviceKey('web')).rejects.toThrow(storageProblem('no intact service key', 'backup'))
  })

  it('refuses what is no file', async () => {
    await mkdir(file('service-web.key'), { recursive: true, mode: 0o700 })
    await expect(store.serviceKey('web')).rejects.toThrow(storageProblem('service-web.key is not a file', 'folder'))
  })

  it.runIf(onPosix)('reads a key through a link, and refuses a link that leads nowhere', async () => {
    const { publicKey } = await store.serviceKey('web')
    await symlink(file('service-web.key'), file('service-linked.key'))
    expect((await store.serviceKey('linked')).publicKey).toEqual(publicKey)
    await symlink(file('nowhere'), file('service-broken.key'))
    await expect(store.serviceKey('broken')).rejects.toThrow(expect.objectContaining({ code: 'BEAM_ERR_KEY_STORAGE' }))
  })

  it('says what is in the way when the folder cannot be made', async () => {
    await mkdir(data)
    await writeFile(join(data, 'keys'), '')
    await expect(store.serviceKey('web')).rejects.toThrow(
      expect.objectContaining({ code: 'BEAM_ERR_KEY_STORAGE', hint: expect.stringContaining('BEAM_HOME') }),
    )
  })

  it.runIf(onPosix)('gives no key when it cannot be stored, and leaves no half of one', async () => {
    const child = await startChild(cleanup, { canWriteFiles: false })
    expect(await child.ask({ do: 'service-key', data, name: 'web' })).toBe('BEAM_ERR_KEY_STORAGE')
    expect(await readdir(join(data, 'keys'))).toEqual([])
  })

  it('removes what a killed writer left, and nothing that is being written now', async () => {
    await mkdir(join(data, 'keys'), { recursive: true, mode: 0o700 })
    const [old, fresh] = [file('.service-web.key-0123456789ab.tmp'), file('.service-web.key-ba9876543210.tmp')]
    await Promise.all([writeFile(old, 'key'), writeFile(fresh, 'key')])
    const anHourAgo = new Date(Date.now() - 3_600_000)
    await utimes(old, anHourAgo, anHourAgo)
    await store.serviceKey('web')
    expect(await readdir(join(data, 'keys'))).toEqual([fresh.split('/').at(-1), 'service-web.key'])
    expect(await store.list()).toEqual(['web'])
  })
})
