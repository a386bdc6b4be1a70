import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { beamPaths } from '../../../config/paths.ts'
import { openKeyStore } from '../../../core/index.ts'
import { beam, temporaryFolder, type Outcome } from '../beam-process.ts'

const schema = JSON.parse(await readFile(new URL('../../../schemas/export.schema.json', import.meta.url), 'utf8')) as object

/** Fails unless the text is what the schema describes. */
function expectJson(definition: 'export' | 'import', text: string): unknown {
  const value: unknown = JSON.parse(text)
  const ajv = new Ajv2020({ strict: false })
  ajv.addSchema(schema, 'export')
  ajv.validate(`export#/$defs/${definition}`, value)
  expect(ajv.errors ?? []).toEqual([])
  return value
}

const CONFIG = `tunnels:
  - name: api-server
    port: 3000
    backends: [mesh]
    access: { secret: hush }
`
const PASSPHRASE = { BEAM_PASSPHRASE: 'correct horse battery' }

const storeOf = (folder: string) => openKeyStore(beamPaths({ BEAM_HOME: join(folder, 'home') }))

describe('beam export and import', { timeout: 120_000 }, () => {
  let exported: string
  let publicKey: Uint8Array

  beforeAll(async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'beam.config.yaml'), CONFIG)
    ;({ publicKey } = await storeOf(folder.path).serviceKey('api-server'))
    exported = (await beam(['export', '--tunnel', 'api-server', '--with-keys'], folder.path, PASSPHRASE)).stdout
  }, 120_000)

  /** Imports the file on a machine that has nothing. */
  async function importInto(folder: string, args: readonly string[]): Promise<Outcome> {
    await writeFile(join(folder, 'config.yaml'), exported)
    return beam(['import', 'config.yaml', '--file', 'beam.config.yaml', ...args], folder, PASSPHRASE)
  }

  it('carry a tunnel with its keys and its word to another machine', async () => {
    await using folder = await temporaryFolder()
    expect(exported).toContain('-----BEGIN AGE ENCRYPTED FILE-----')
    expect(exported).not.toContain('hush')
    const { code, stdout } = await importInto(folder.path, ['--as', 'api'])
    expect(code).toBe(0)
    expect(stdout).toContain('it has the same addresses')
    const config = await readFile(join(folder.path, 'beam.config.yaml'), 'utf8')
    expect(config).toContain('- name: api\n')
    expect(config).toContain('secret: hush')
    expect((await storeOf(folder.path).storedServiceKey('api'))?.publicKey).toEqual(publicKey)
  })

  it('do without the keys, but never without the word', async () => {
    await using folder = await temporaryFolder()
    const open = await importInto(folder.path, ['--without-keys'])
    expect(open.code).toBe(2)
    expect(open.stderr).toContain('must know a word')
    await writeFile(join(folder.path, 'word'), 'new\n')
    const { code, stdout } = await importInto(folder.path, ['--without-keys', '--secret-file', 'word', '--json'])
    expect(code).toBe(0)
    expect(expectJson('import', stdout)).toMatchObject({ notes: [expect.stringContaining('the tunnel gets new addresses here') as string] })
    expect(await storeOf(folder.path).list()).toEqual([])
  })

  it('say that a tunnel has no keys yet, and that a passphrase is too short', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'beam.config.yaml'), CONFIG)
    expect(expectJson('export', (await beam(['export', '--tunnel', 'api-server', '--json'], folder.path)).stdout)).toMatchObject({
      tunnels: [{ name: 'api-server', backends: ['mesh'] }],
      omitted: ['tunnels.api-server.access.secret'],
    })
    const args = ['export', '--tunnel', 'api-server', '--with-keys']
    expect((await beam(args, folder.path, PASSPHRASE)).stderr).toContain('no keys on this machine yet')
    await storeOf(folder.path).serviceKey('api-server')
    const short = await beam(args, folder.path, { BEAM_PASSPHRASE: 'short' })
    expect({ code: short.code, stdout: short.stdout }).toEqual({ code: 2, stdout: '' })
    expect(short.stderr).toContain('BEAM_ERR_PASSPHRASE')
  })
})
