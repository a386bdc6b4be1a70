import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { importTunnel, type ImportRequest } from '../../../cli/import-tunnel.ts'
import { generateIdentity, openKeyStore } from '../../../core/index.ts'
import { seal, serializeKeys } from '../../../plugins/tunnel-keys/index.ts'
import { temporaryPaths } from '../../plugins/memory-plugin.ts'

const PASSPHRASE = 'correct horse battery'
const CONFIG = 'tunnels:\n  - name: web\n    port: 80\n'

let paths: Awaited<ReturnType<typeof temporaryPaths>>
beforeEach(async () => {
  paths = await temporaryPaths()
  process.env['BEAM_HOME'] = paths.home
})
afterEach(async () => {
  delete process.env['BEAM_HOME']
  await paths[Symbol.asyncDispose]()
})

/** A file with the keys of `owner` for a tunnel called `tunnel`. */
async function exported(tunnel: string, owner = tunnel): Promise<string> {
  const keys = { tunnel: owner, service: generateIdentity(), backends: new Map([['tor', Buffer.from('onion')]]), secrets: [] }
  const sealed = await seal(serializeKeys(keys), PASSPHRASE, { scryptLogN: 8 })
  const file = join(paths.home, 'exported.yaml')
  await writeFile(file, `tunnels: [{ name: ${tunnel}, port: 3000, backends: [mesh] }]\nkeys: |\n${sealed.replace(/^/gm, '  ')}\n`)
  return file
}

async function imported(source: string, request: Partial<ImportRequest> = {}): ReturnType<typeof importTunnel> {
  const file = join(paths.home, 'beam.config.yaml')
  await writeFile(file, CONFIG)
  const defaults = { wish: {}, options: { file, schemaOf: () => undefined }, withKeys: true, replaceKeys: false }
  return importTunnel({ ...defaults, source, passphrase: async () => PASSPHRASE, ...request })
}

const nothingChanged = async (): Promise<void> => {
  expect(await readFile(join(paths.home, 'beam.config.yaml'), 'utf8')).toBe(CONFIG)
  expect(await readdir(join(paths.data, 'keys')).catch(() => [])).toEqual([])
}

describe('importTunnel()', () => {
  it('restores keys, and tells of those that nothing here uses', async () => {
    const result = await imported(await exported('api'))
    expect(result).toMatchObject({ tunnel: 'api', changed: true, keys: { service: true, networks: [] } })
    expect(result.notes).toEqual([expect.stringContaining('not restored') as string])
    expect(await openKeyStore(paths).list()).toEqual(['api'])
  })

  it('changes nothing when the passphrase is wrong', async () => {
    const source = await exported('api')
    await expect(imported(source, { passphrase: async () => 'another one' })).rejects.toMatchObject({ code: 'BEAM_ERR_PASSPHRASE' })
    await nothingChanged()
  })

  it('gives no tunnel the keys of another one', async () => {
    const source = await exported('api', 'bank')
    await expect(imported(source)).rejects.toMatchObject({ code: 'BEAM_ERR_EXPORT_INVALID' })
    await nothingChanged()
  })

  it('changes nothing when the configuration would be wrong', async () => {
    const source = await exported('web')
    await expect(imported(source)).rejects.toMatchObject({ hint: expect.stringContaining('--as') as string })
    await nothingChanged()
  })

  it('keeps the configuration as it is when other keys are there', async () => {
    const { publicKey } = await openKeyStore(paths).serviceKey('api')
    const source = await exported('api')
    await expect(imported(source)).rejects.toMatchObject({ code: 'BEAM_ERR_KEY_EXISTS' })
    expect(await readFile(join(paths.home, 'beam.config.yaml'), 'utf8')).toBe(CONFIG)
    expect((await openKeyStore(paths).serviceKey('api')).publicKey).toEqual(publicKey)
    await imported(source, { replaceKeys: true })
    expect((await openKeyStore(paths).serviceKey('api')).publicKey).not.toEqual(publicKey)
  })

  it('asks for no passphrase when the file has no keys, or they are not wanted', async () => {
    const passphrase = (): Promise<string> => Promise.reject(new Error('it was asked for'))
    const result = await imported(await exported('api'), { withKeys: false, passphrase })
    expect(result.keys).toBeUndefined()
    const plain = join(paths.home, 'plain.yaml')
    await writeFile(plain, 'tunnels: [{ name: api, port: 3000 }]\n')
    expect((await imported(plain, { passphrase })).notes).toEqual(['The file has no keys: the tunnel gets new addresses here.'])
  })
})
