import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beam, temporaryFolder } from '../../beam-process.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder[Symbol.asyncDispose]())

describe('beam backend create', () => {
  it('writes a project and says what to do next', async () => {
    const { code, stdout, stderr } = await beam(['backend', 'create', 'my-net'], folder.path)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const files = (await readdir(join(folder.path, 'beam-backend-my-net'), { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    )
    expect(stdout).toBe(
      `beam-backend-my-net: ${files.length} files written. Next: cd beam-backend-my-net && npm install && npm test\n` +
        'Then: beam backend test ./beam-backend-my-net, and name ./beam-backend-my-net under plugins in beam.config.yaml to use it.\n',
    )
    const again = await beam(['backend', 'create', 'my-net'], folder.path)
    expect(again.code).toBe(2)
    expect(again.stderr).toContain('is not empty')
  })

  it('knows one language, and says so', async () => {
    expect((await beam(['backend', 'create', 'a', '--dir', 'a', '--language', 'typescript'], folder.path)).code).toBe(0)
    const { code, stderr } = await beam(['backend', 'create', 'b', '--language', 'cobol'], folder.path)
    expect(code).toBe(2)
    expect(stderr).toContain('typescript')
  })

  it('prints what its schema describes with --json', async () => {
    const { code, stdout } = await beam(['backend', 'create', 'other', '--directory', 'elsewhere', '--json'], folder.path)
    expect(code).toBe(0)
    const value = JSON.parse(stdout) as { directory: string; package: string; files: string[] }
    const schema = JSON.parse(readFileSync(new URL('../../../../schemas/backend-create.schema.json', import.meta.url), 'utf8')) as object
    expect(new Ajv2020({ strict: true }).validate(schema, value)).toBe(true)
    expect(value.package).toBe('beam-backend-other')
    expect(value.files).toContain('src/backend.ts')
  })

  it('refuses a name that is none with exit code 2, and writes nothing', async () => {
    const { code, stderr } = await beam(['backend', 'create', 'My_Net'], folder.path)
    expect(code).toBe(2)
    expect(stderr).toContain('“My_Net” is no name for a backend.')
    expect(await readdir(folder.path)).not.toContain('beam-backend-My_Net')
  })
})
