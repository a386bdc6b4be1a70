import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, definePlugin, generateIdentity, lockName, openKeyStore, type BeamPaths, type KeyKeeper } from '../../../core/index.ts'
import { MemoryBackend } from '../../../core/testing/index.ts'
import { collectKeys, restoreKeys } from '../../../plugins/tunnel-keys/index.ts'
import { temporaryPaths } from '../memory-plugin.ts'

/** A network that keeps a key in a file for each name. */
class Keeper extends MemoryBackend implements KeyKeeper {
  readonly #folder: string

  constructor(paths: BeamPaths) {
    super({ name: 'keeper' })
    this.#folder = join(paths.data, 'keeper')
  }

  async exportKeys(name: string): Promise<Uint8Array | undefined> {
    return readFile(join(this.#folder, name)).catch(() => undefined)
  }

  async importKeys(name: string, material: Uint8Array, { replace = false } = {}): Promise<void> {
    const stored = await this.exportKeys(name)
    if (stored !== undefined && !replace && !Buffer.from(material).equals(stored)) throw new ConfigError('there is one')
    await mkdir(this.#folder, { recursive: true })
    await writeFile(join(this.#folder, name), material)
  }
}

const plugin = definePlugin({ name: 'keeper', apiVersion: 1, configSchema: { type: 'object' }, create: ({ paths }) => new Keeper(paths) })

const of = (paths: BeamPaths, tunnel = 'web') => ({
  tunnel,
  networks: ['keeper', 'mesh', 'nym'],
  beam: { config: {}, paths, plugins: [plugin] },
})

describe('keys of a tunnel', () => {
  it('move to another machine, readable by their owner only, and may come twice', async () => {
    await using here = await temporaryPaths()
    await using there = await temporaryPaths()
    const service = await openKeyStore(here).serviceKey('web')
    await new Keeper(here).importKeys('web', Buffer.from('material'))
    const keys = { ...(await collectKeys(of(here))), secrets: [] }
    for (let times = 0; times < 2; times += 1) {
      expect(await restoreKeys(keys, of(there, 'web-2'))).toEqual({ service: true, networks: ['keeper'] })
    }
    expect((await openKeyStore(there).storedServiceKey('web-2'))?.publicKey).toEqual(service.publicKey)
    expect(await new Keeper(there).exportKeys('web-2')).toEqual(Buffer.from('material'))
    const { mode } = await stat(join(there.data, 'keys', 'service-web-2.key'))
    expect(process.platform === 'win32' ? 0o600 : mode & 0o777).toBe(0o600)
  })

  it('are not there before the first publishing', async () => {
    await using paths = await temporaryPaths()
    await expect(collectKeys(of(paths))).rejects.toMatchObject({
      code: 'BEAM_ERR_KEY_STORAGE',
      hint: expect.stringContaining('published') as string,
    })
  })

  it('replace none that are there, and then restore nothing', async () => {
    await using paths = await temporaryPaths()
    await new Keeper(paths).importKeys('web', Buffer.from('mine'))
    const keys = { tunnel: 'web', service: generateIdentity(), backends: new Map([['keeper', Buffer.from('theirs')]]), secrets: [] }
    await expect(restoreKeys(keys, of(paths))).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_EXISTS' })
    expect(await openKeyStore(paths).list()).toEqual([])
    expect(await restoreKeys(keys, { ...of(paths), replace: true })).toEqual({ service: true, networks: ['keeper'] })
    expect(await new Keeper(paths).exportKeys('web')).toEqual(Buffer.from('theirs'))
    await expect(restoreKeys({ ...keys, service: generateIdentity() }, of(paths))).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_EXISTS' })
  })

  it('are not touched while somebody publishes under the name', async () => {
    await using paths = await temporaryPaths()
    await using _lock = await lockName(paths, 'web')
    const keys = { tunnel: 'web', service: generateIdentity(), backends: new Map(), secrets: [] }
    await expect(restoreKeys(keys, of(paths))).rejects.toMatchObject({ code: 'BEAM_ERR_NAME_IN_USE' })
  })
})
