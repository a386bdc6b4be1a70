import { createServer } from 'node:net'
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { beamPaths, ensureFolders } from '../../config/paths.ts'

const mode = (path: string): number => lstatSync(path).mode & 0o777

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paths-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('beamPaths', () => {
  it('puts everything under BEAM_HOME, also when that is a relative path', () => {
    const paths = beamPaths({ BEAM_HOME: folder, XDG_RUNTIME_DIR: folder })
    expect(paths).toEqual({
      config: join(folder, 'config'),
      data: join(folder, 'data'),
      state: join(folder, 'state'),
      runtime: join(folder, 'run'),
    })
    expect(beamPaths({ BEAM_HOME: 'here' }).data).toBe(join(process.cwd(), 'here', 'data'))
  })

  it('takes an empty BEAM_HOME for none', () => {
    expect(beamPaths({ BEAM_HOME: '' }).config).toBe(beamPaths({}).config)
  })

  it('uses XDG_RUNTIME_DIR when it is a folder of ours', () => {
    expect(beamPaths({ XDG_RUNTIME_DIR: folder }).runtime).toBe(join(folder, 'beam'))
  })

  it('does without an XDG_RUNTIME_DIR that is missing, relative or no folder', () => {
    const without = beamPaths({}).runtime
    const file = join(folder, 'file')
    writeFileSync(file, '')
    for (const wrong of [join(folder, 'missing'), 'relative', file]) {
      expect(beamPaths({ XDG_RUNTIME_DIR: wrong }).runtime).toBe(without)
    }
  })

  it('keeps socket paths short enough to listen on, however long BEAM_HOME is', async () => {
    const home = join(folder, 'x'.repeat(120))
    const paths = beamPaths({ BEAM_HOME: home })
    expect(paths.data).toBe(join(home, 'data'))
    try {
      ensureFolders(paths)
      const socket = join(paths.runtime, `${'s'.repeat(34)}.sock`)
      const server = createServer().listen(socket)
      await once(server, 'listening')
      server.close()
      await once(server, 'close')
    } finally {
      rmSync(paths.runtime, { recursive: true, force: true })
    }
  })

  it('gives every long BEAM_HOME a short folder of its own, the same one each time', () => {
    const long = (name: string): string => beamPaths({ BEAM_HOME: join(folder, name.repeat(120)) }).runtime
    expect(long('a')).toBe(long('a'))
    expect(long('a')).not.toBe(long('b'))
  })
})

describe('ensureFolders', () => {
  it('makes the folders for the owner only, whatever the umask', () => {
    const before = process.umask(0)
    try {
      const paths = beamPaths({ BEAM_HOME: join(folder, 'new') })
      ensureFolders(paths)
      for (const path of Object.values(paths)) expect(mode(path)).toBe(0o700)
      ensureFolders(paths)
    } finally {
      process.umask(before)
    }
  })

  it('closes a folder that others may read', () => {
    const paths = beamPaths({ BEAM_HOME: folder })
    mkdirSync(paths.data)
    chmodSync(paths.data, 0o755)
    ensureFolders(paths)
    expect(mode(paths.data)).toBe(0o700)
  })

  it('says what is wrong when a folder cannot be made', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => ensureFolders(beamPaths({ BEAM_HOME: join(folder, 'file') }))).toThrow(
      expect.objectContaining({ code: 'BEAM_ERR_KEY_STORAGE', kind: 'config', hint: expect.stringContaining('BEAM_HOME') }),
    )
  })

  it('refuses a link in the shared folder for temporary files', () => {
    const paths = beamPaths({ BEAM_HOME: join(folder, 'y'.repeat(120)) })
    const elsewhere = join(folder, 'elsewhere')
    mkdirSync(elsewhere, { mode: 0o700 })
    symlinkSync(elsewhere, paths.runtime)
    try {
      expect(() => ensureFolders(paths)).toThrow(expect.objectContaining({ code: 'BEAM_ERR_KEY_STORAGE' }))
    } finally {
      rmSync(paths.runtime)
    }
  })
})
