import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { requireProgram } from './requirements.ts'

describe('requireProgram()', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  it.runIf(process.platform !== 'win32')('finds a program that can be run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'beam-r-'))
    await writeFile(join(folder, 'beam-here'), '#!/bin/sh\n', { mode: 0o755 })
    expect(requireProgram('beam-here', {}, folder)).toBe(join(folder, 'beam-here'))
    await rm(folder, { recursive: true })
  })

  it('says how to install what is missing', () => {
    vi.stubEnv('CI', '')
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    expect(requireProgram('beam-absent', { apt: 'absent-package', brew: 'absent' }, '')).toBeUndefined()
    expect(stderr).toHaveBeenCalledWith('not run here: beam-absent is missing: apt-get install absent-package, or brew install absent\n')
  })

  it('fails under CI', () => {
    vi.stubEnv('CI', 'true')
    expect(() => requireProgram('beam-absent', { apt: 'absent-package' }, '')).toThrow(
      'beam-absent is missing: apt-get install absent-package',
    )
  })
})
