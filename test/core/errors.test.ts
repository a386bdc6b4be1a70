import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  BackendUnavailableError,
  ConfigError,
  ERROR_CODES,
  InternalError,
  PluginError,
  ProtocolError,
  TimeoutError,
  UnreachableError,
  UnsupportedError,
  allFailed,
  isBeamError,
} from '../../core/index.ts'

describe('docs/errors.md', () => {
  const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| `(BEAM_ERR_\w+)` \| (.+) \| (.+) \|$/gm)]

  it('describes every code once, in the order and words of the table, and no other', () => {
    expect(rows.map(([, code, meaning]) => [code, meaning])).toEqual(Object.entries(ERROR_CODES))
    expect(new Set(text.match(/BEAM_ERR_\w+/g)).size).toBe(rows.length)
  })

  it('says of every code what to do', () => {
    for (const [, , , remedy = ''] of rows) expect(remedy).toMatch(/^[A-Z].{10,}\.$/)
  })
})

describe('error classes', () => {
  it.each([
    [ConfigError, 'config', 'BEAM_ERR_CONFIG', 'never'],
    [PluginError, 'config', 'BEAM_ERR_PLUGIN', 'never'],
    [BackendUnavailableError, 'unavailable', 'BEAM_ERR_BACKEND_UNAVAILABLE', 'later'],
    [UnreachableError, 'unreachable', 'BEAM_ERR_PEER_UNREACHABLE', 'later'],
    [TimeoutError, 'timeout', 'BEAM_ERR_TIMEOUT', 'now'],
    [ProtocolError, 'protocol', 'BEAM_ERR_LINK_PROTOCOL', 'never'],
    [UnsupportedError, 'unsupported', 'BEAM_ERR_UNSUPPORTED', 'never'],
    [InternalError, 'internal', 'BEAM_ERR_INTERNAL', 'never'],
  ])('%o has the kind %s, the code %s and the retry %s unless told otherwise', (Class, kind, code, retry) => {
    const error = new Class('why')
    expect(error).toMatchObject({ name: Class.name, message: 'why', kind, code, retry })
    expect(error).toBeInstanceOf(Error)
    expect('cause' in error).toBe(false)
  })

  it('takes code, retry, hint and cause from whoever throws', () => {
    const cause = new Error('deeper')
    const options = { code: 'BEAM_ERR_NAME_IN_USE', retry: 'now', hint: 'do that', cause } as const
    expect(new BackendUnavailableError('why', options)).toMatchObject({ ...options, kind: 'unavailable' })
  })
})

describe('isBeamError', () => {
  it('knows errors of a second copy of Beam too', async () => {
    const url = new URL('../../core/errors.ts?second-copy', import.meta.url).href
    const second = (await import(url)) as { ConfigError: typeof ConfigError }
    const error = new second.ConfigError('why')
    expect(error).not.toBeInstanceOf(ConfigError)
    expect(isBeamError(error)).toBe(true)
  })

  it.each([[new Error('x')], [{ code: 'BEAM_ERR_CONFIG', kind: 'config' }], [null], [undefined], ['BEAM_ERR_CONFIG']])(
    'does not take %o for one',
    (value) => {
      expect(isBeamError(value)).toBe(false)
    },
  )
})

describe('allFailed', () => {
  it('is one unreachable error that keeps every attempt', () => {
    const attempts = [new Error('a'), new Error('b')]
    const error = allFailed('No way worked.', attempts, { hint: 'wait' })
    expect(error).toMatchObject({ kind: 'unreachable', message: 'No way worked.', hint: 'wait' })
    expect((error.cause as AggregateError).errors).toEqual(attempts)
  })
})
