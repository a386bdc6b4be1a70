import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBackendProject } from '../../../plugins/scaffold/index.ts'
import { TEMPLATE } from '../../../plugins/scaffold/template.generated.ts'
import { TEMPLATE_MODULE, exampleFiles, templateModule } from './template.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beam-scaffold-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const root = resolve(import.meta.dirname, '../../..')
const make = (name: string, directory = join(folder, name)): ReturnType<typeof createBackendProject> =>
  createBackendProject({ directory, name, language: 'typescript' })

describe('createBackendProject', () => {
  it('makes the committed example when it is asked for its name', async () => {
    const { files, directory } = await make('tin-can')
    expect(files).toEqual(Object.keys(exampleFiles()))
    for (const [file, text] of Object.entries(exampleFiles())) {
      if (file !== 'package.json') expect(await readFile(join(directory, file), 'utf8')).toBe(text)
    }
  })

  it('leaves nothing of the example’s name in a project of another name', async () => {
    const { files, directory, packageName } = await make('my-net2')
    expect(packageName).toBe('beam-backend-my-net2')
    const texts = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')))
    expect(texts.join('\n')).not.toMatch(/tin.?can/i)
    expect(texts.join('\n')).toContain('class MyNet2Backend implements NetworkBackend')
  })

  it('writes a manifest that the plugin host reads, and takes Beam from where it runs', async () => {
    const { directory } = await make('my-net')
    const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Record<string, Record<string, unknown>>
    expect(manifest).toMatchObject({
      name: 'beam-backend-my-net',
      beam: { plugin: './dist/src/index.js', apiVersion: 1, backend: 'my-net' },
    })
    const beam = String(manifest['devDependencies']?.['beam-tunnel'])
    expect(resolve(directory, beam.replace(/^file:/, ''))).toBe(root)
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(manifest['peerDependencies']?.['beam-tunnel']).toBe(`^${version}`)
  })

  it('uses the compiler and the types with which Beam itself is built', () => {
    const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> }
    const { devDependencies } = JSON.parse(TEMPLATE['package.json'] ?? '') as { devDependencies: Record<string, string> }
    for (const name of ['typescript', '@types/node']) expect(devDependencies[name]).toBe(own.devDependencies[name])
  })

  it.each(['', 'Tor', '2nd', 'a_b', 'a--b', 'a-', '../up', 'x'.repeat(33)])('refuses the name “%s”', async (name) => {
    await expect(make(name, join(folder, 'x'))).rejects.toMatchObject({ kind: 'config', message: `“${name}” is no name for a backend.` })
  })

  it('refuses a folder that holds something, and touches nothing in it', async () => {
    const directory = join(folder, 'mine')
    await mkdir(directory)
    await writeFile(join(directory, 'package.json'), 'mine')
    await expect(make('mine', directory)).rejects.toMatchObject({ kind: 'config', message: `${directory} is not empty.` })
    expect(await readFile(join(directory, 'package.json'), 'utf8')).toBe('mine')
  })

  it('refuses a language without a template', async () => {
    const wanted = { directory: folder, name: 'x', language: 'cobol' as 'typescript' }
    await expect(createBackendProject(wanted)).rejects.toMatchObject({ kind: 'config', message: 'There is no template for cobol.' })
  })
})

describe('the template', () => {
  it('is made from examples/backends/typescript as it is now', () => {
    expect(readFileSync(TEMPLATE_MODULE, 'utf8')).toBe(templateModule())
  })
})
