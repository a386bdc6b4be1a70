import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exchangeText, readExchangeFile } from '../../config/exchange-file.ts'
import { exportTunnel } from '../../config/export-tunnel.ts'
import { planImport, type ImportWish } from '../../config/import-tunnel.ts'
import { stageEdits } from '../../config/staged-edit.ts'
import { exampleCatalogue } from './example-catalogue.ts'

const SOURCE = `# of the first machine
backends:
  - name: tin-can
    priority: 3
    config: { url: "tin://here", length: 4 } # the string
  - name: mesh
  - { name: helper, enabled: false, command: [./helper] }
tunnels:
  - name: api # the API
    port: 3000
    backends: [tin-can]
    strategy: fallback
    access: { secret: hush }
  - { name: helped, port: 3001, backends: [helper, mesh] }
  - { name: plain, port: 3002 }
`

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'beam-import-'))
  await writeFile(join(root, 'source.yaml'), SOURCE)
})
afterEach(() => rm(root, { recursive: true, force: true }))

const options = (file: string) => ({
  ...exampleCatalogue,
  cwd: root,
  paths: { config: join(root, 'user') },
  env: {},
  stopDir: root,
  file: join(root, file),
})

/** Exports a tunnel as the command does, without keys. */
async function exported(name: string): Promise<string> {
  const { tunnel, backends, secrets } = await exportTunnel(name, options('source.yaml'))
  const content = {
    tunnels: [{ ...tunnel, name }],
    backends: backends.map((backend) => ({ ...backend, name: String(backend['name']) })),
    omitted: secrets.map(({ path }) => path.join('.')),
  }
  await writeFile(join(root, 'exported.yaml'), exchangeText(content, 'a tunnel'))
  return readFile(join(root, 'exported.yaml'), 'utf8')
}

/** Imports it into another file; returns what the file says then, and the plan's notes. */
async function imported(target: string, wish: ImportWish = {}): Promise<{ text: string; notes: readonly string[] }> {
  await writeFile(join(root, 'target.yaml'), target)
  const exchange = await readExchangeFile(join(root, 'exported.yaml'))
  let notes: readonly string[] = []
  const staged = await stageEdits((before) => {
    const plan = planImport(before, exchange, wish)
    notes = plan.notes
    return plan.edits
  }, options('target.yaml'))
  await staged.write()
  return { text: await readFile(join(root, 'target.yaml'), 'utf8'), notes }
}

describe('exportTunnel()', () => {
  it('gives the tunnel and its networks as the file says them, without what is secret', async () => {
    const text = await exported('api')
    expect(text).toMatch(/^# a tunnel\nbackends:\n {2}- name: tin-can\n {4}priority: 3\n/)
    expect(text).not.toContain('hush')
    expect(text).toContain('omitted:\n  - tunnels.api.access.secret\n')
    expect(text).not.toContain('mesh')
  })

  it('lists the enabled networks of a tunnel that has no list', async () => {
    expect((await exportTunnel('plain', options('source.yaml'))).networks).toEqual(['tin-can', 'mesh'])
  })

  it('says which tunnels there are', async () => {
    await expect(exportTunnel('pi', options('source.yaml'))).rejects.toMatchObject({
      code: 'BEAM_ERR_TUNNEL_UNKNOWN',
      message: expect.stringContaining('api, helped, plain') as string,
      hint: 'Did you mean api?',
    })
  })
})

describe('planImport()', () => {
  it('adds the tunnel and what it needs, and keeps everything else as it is', async () => {
    await exported('api')
    const target = '# mine\ntunnels:\n  - name: web # old\n    port: 80\np2p: { maxPeers: 5 }\n'
    const { text, notes } = await imported(target, { secret: 'new word' })
    expect(text).toContain('# mine\ntunnels:\n  - name: web # old\n    port: 80\n  - name: api\n    port: 3000\n')
    expect(text).toContain('secret: new word')
    expect(text).toContain('p2p: { maxPeers: 5 }\n')
    // Without a list the mesh was used: it still is.
    expect(text).toMatch(/- name: mesh\n {4}enabled: true\n {4}priority: 1\n {2}- name: tin-can\n/)
    expect(notes).toEqual(['web: no list of networks of its own, so tin-can may now be used there too.'])
  })

  it('imports into no file and into an empty one, and the same again changes nothing', async () => {
    await exported('plain')
    const once = await imported('')
    expect(once.text).toContain('- name: plain')
    expect((await imported(once.text)).text).toBe(once.text)
  })

  it('takes other networks and another name', async () => {
    await exported('api')
    const { text } = await imported('backends:\n  - name: mesh\n', { as: 'copy', backends: ['mesh'], secret: 'x' })
    expect(text).toContain('- name: copy')
    expect(text).toContain('backends: [mesh]')
    expect(text).not.toContain('tin-can')
  })

  it('leaves the settings of a network that is there, and says so', async () => {
    await exported('api')
    const { text, notes } = await imported('backends:\n  - name: tin-can\n    config: { url: "tin://mine" }\n', { secret: 'x' })
    expect(text).toContain('tin://mine')
    expect(text).not.toContain('tin://here')
    expect(notes).toEqual(['The settings of tin-can stay as they are on this machine; those of the file differ.'])
  })

  it('opens no tunnel whose word was left out', async () => {
    await exported('api')
    await expect(imported('')).rejects.toMatchObject({
      code: 'BEAM_ERR_USAGE',
      message: expect.stringContaining('must know a word') as string,
    })
  })

  it('replaces a tunnel on purpose only', async () => {
    await exported('plain')
    const target = 'tunnels:\n  - name: plain\n    port: 1 # mine\n'
    await expect(imported(target)).rejects.toMatchObject({ hint: expect.stringContaining('--as') as string })
    expect((await imported(target, { replace: true })).text).toContain('port: 3002')
  })

  it('runs no program of a file unless it may', async () => {
    await exported('helped')
    await expect(imported('')).rejects.toThrow('["./helper"]')
    expect((await imported('', { allowCommands: true })).text).toContain('command: [./helper]')
  })

  it('asks which of several tunnels', async () => {
    await writeFile(join(root, 'exported.yaml'), SOURCE)
    await expect(imported('')).rejects.toMatchObject({ hint: 'Name the one that you want: --tunnel api' })
    await expect(imported('', { tunnel: 'plainn' })).rejects.toMatchObject({ hint: 'Did you mean plain?' })
    expect((await imported('', { tunnel: 'plain' })).text).toContain('port: 3002')
  })
})

it.each([
  ['', 'it declares no tunnels'],
  ['tunnels: [5]', 'it declares no tunnels'],
  ['tunnels: [{ name: a, port: 1 }]\nbackends: {}', 'its backends are no list'],
  ['tunnels: [{ name: a, port: 1 }]\nomitted: 5', 'omitted is no list'],
  ['tunnels: [{ name: a, port: 1 }]\nkeys: []', 'keys is no text'],
  ['tunnels: [', 'this is not YAML'],
])('%j is no file to import', async (text, reason) => {
  await writeFile(join(root, 'exported.yaml'), text)
  await expect(readExchangeFile(join(root, 'exported.yaml'))).rejects.toThrow(reason)
})
