import { describe, expect, it } from 'vitest'
import { describeError } from '../../cli/report-error.ts'
import { allFailed, BackendUnavailableError, ConfigError, UnreachableError } from '../../core/errors.ts'
import { noteText } from '../../cli/output/note.ts'
import pc from 'picocolors'

const plain = pc.createColors(false)

describe('describeError', () => {
  it('exits with 2 for what the user wrote, else with 1', () => {
    expect(describeError(new ConfigError('wrong')).exitCode).toBe(2)
    expect(describeError(new UnreachableError('gone')).exitCode).toBe(1)
    expect(describeError(new Error('a fault')).exitCode).toBe(1)
  })

  it('keeps code, message and hint of an error of ours', () => {
    const error = new BackendUnavailableError('tor is not running', { hint: 'Start it.' })
    expect(describeError(error)).toMatchObject({ code: 'BEAM_ERR_BACKEND_UNAVAILABLE', message: 'tor is not running', hint: 'Start it.' })
  })

  it('lists what was tried, but not without end', () => {
    const attempts = Array.from({ length: 50 }, (_, index) => new Error(`attempt ${index}`))
    const shown = describeError(allFailed('nothing worked', attempts))
    expect(shown.attempts).toHaveLength(10)
    expect(shown.attempts[0]).toBe('attempt 0')
  })

  it('calls anything else a fault of Beam', () => {
    expect(describeError('text')).toMatchObject({ code: 'BEAM_ERR_INTERNAL', message: 'text' })
  })
})

describe('noteText', () => {
  it('keeps a line each where nobody reads at a terminal', () => {
    const text = noteText({ kind: 'Error', code: 'BEAM_ERR_X', message: 'word '.repeat(50).trim(), hint: 'Do this.' }, Infinity, plain)
    expect(text.split('\n')).toHaveLength(3)
    expect(text).toContain('(BEAM_ERR_X)\n  Do this.\n')
  })

  it('breaks lines at a terminal, and keeps the lines of a message', () => {
    const text = noteText(
      { kind: 'Warning', code: 'C', message: `a.yaml:1:2 first\n${'word '.repeat(40)}`, attempts: ['one way'] },
      60,
      plain,
    )
    expect(text.split('\n')[0]).toBe('Warning a.yaml:1:2 first')
    expect(text).toContain('\n  - one way\n')
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60)
  })
})
