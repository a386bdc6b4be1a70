import fc from 'fast-check'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { npmFailure } from '../../../plugins/installed/npm-failure.ts'
import { parsePackageSpec } from '../../../plugins/installed/package-spec.ts'

const CWD = resolve('/some/where')

describe('what a user types', () => {
  it.each([
    ['beam-backend-example', 'beam-backend-example'],
    ['@me/my.backend', '@me/my.backend'],
    ['beam-backend-example@^1.2.0', 'beam-backend-example'],
    ['@me/b@next', '@me/b'],
  ])('%s is a package of the registry', (text, name) => {
    expect(parsePackageSpec(text, CWD)).toEqual({ kind: 'registry', name, text })
  })

  it.each([
    ['./my-backend', join(CWD, 'my-backend')],
    ['..', resolve(CWD, '..')],
    ['my-backend-1.0.0.tgz', join(CWD, 'my-backend-1.0.0.tgz')],
    [join(CWD, 'elsewhere'), join(CWD, 'elsewhere')],
  ])('%s is of this machine', (text, path) => {
    expect(parsePackageSpec(text, CWD)).toEqual({ kind: 'local', path })
  })

  it.each([
    '',
    'Not A Name',
    'git+https://example.com/x.git',
    'https://example.com/x.tgz',
    'me/b',
    'a@npm:b',
    'file:../x',
    '--global',
    '-g',
    'a@1 b',
    'a\nb',
  ])('%j is refused', (text) => {
    expect(() => parsePackageSpec(text, CWD)).toThrow(expect.objectContaining({ code: 'BEAM_ERR_USAGE' }) as Error)
  })

  it('never is a flag or an address for npm', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), (text) => {
        try {
          const spec = parsePackageSpec(text, CWD)
          if (spec.kind === 'registry') expect(spec.text).toMatch(/^[@a-z0-9~][^:\s]*$/)
        } catch (error) {
          expect(error).toMatchObject({ code: 'BEAM_ERR_USAGE' })
        }
      }),
    )
  })
})

describe('what npm complains about', () => {
  it.each([
    ['npm error code ENOTFOUND\nnpm error request to https://example.com/x failed', 1, 'could not reach its registry'],
    ['npm ERR! code EAI_AGAIN', 1, 'could not reach its registry'],
    ['npm error code E404\nnpm error 404 Not Found', 1, 'no such package'],
    ['npm error code ETARGET', 1, 'no such version'],
    ['npm error code EUSAGE', 1, 'npm failed (EUSAGE)'],
    ['Killed', null, 'npm failed (exit code unknown)'],
  ])('%j is told in one sentence', (stderr, code, message) => {
    expect(npmFailure(stderr, code)).toMatchObject({
      code: 'BEAM_ERR_PLUGIN_INSTALL',
      kind: 'unavailable',
      message: expect.stringContaining(message) as string,
    })
  })
})
