import { describe, expect, it } from 'vitest'
import { judge } from './audit-report.ts'

const report = (...severities: string[]): string =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: Object.fromEntries(severities.map((severity, index) => [`p${index}`, { name: `p${index}`, severity, range: '<1' }])),
  })

describe('the audit step', () => {
  it('passes a clean report and one with minor findings only', () => {
    expect(judge(report())).toEqual({ passed: true, message: '0 severe of 0 known vulnerabilities' })
    expect(judge(report('low', 'moderate')).passed).toBe(true)
  })

  it.each(['high', 'critical'])('fails on %s', (severity) => {
    expect(judge(report('low', severity))).toMatchObject({ passed: false, message: expect.stringContaining(`${severity}: p1 <1`) })
  })

  it.each([
    [
      'an endpoint that refuses',
      '{"message":"405 Method Not Allowed - POST https://example.test/bulk","statusCode":405,"error":{"summary":""}}',
      undefined,
    ],
    ['no network', '{"error":{"code":"ENOTFOUND","summary":"request failed"}}', undefined],
    ['no output', '', undefined],
    ['no npm', '', 'spawn npm ENOENT'],
  ])('passes with a warning for %s', (_, stdout, error) => {
    const { passed, message } = judge(stdout, error)
    expect(passed).toBe(true)
    expect(message).toMatch(/^WARNING: nobody could be asked about vulnerabilities: \S/)
    expect(message).not.toContain('example.test')
  })
})
