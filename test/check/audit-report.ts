interface Report {
  readonly auditReportVersion?: number
  readonly message?: string
  readonly error?: { readonly summary?: string; readonly code?: string }
  readonly vulnerabilities?: Readonly<Record<string, { readonly name: string; readonly severity: string; readonly range: string }>>
}

/** What `npm audit --json` said, and whether that is a reason to stop. */
export function judge(stdout: string, spawnError?: string): { readonly passed: boolean; readonly message: string } {
  const unasked = (why: string) => ({ passed: true, message: `WARNING: nobody could be asked about vulnerabilities: ${why}` })
  if (spawnError !== undefined) return unasked(spawnError)
  let report: Report
  try {
    report = JSON.parse(stdout) as Report
  } catch {
    return unasked(`npm audit printed no JSON: ${stdout.slice(0, 200).trim() || 'nothing at all'}`)
  }
  // The address of the registry is nobody's business in a log that people paste.
  const why = (report.error?.summary || report.message || report.error?.code || 'no reason given').replace(
    /https?:\/\/\S+/g,
    'the registry',
  )
  if (report.auditReportVersion === undefined || report.vulnerabilities === undefined) return unasked(why)
  const all = Object.values(report.vulnerabilities)
  const severe = all.filter(({ severity }) => severity === 'high' || severity === 'critical')
  const lines = all.map(({ name, severity, range }) => `${severity}: ${name} ${range}`)
  return { passed: severe.length === 0, message: [...lines, `${severe.length} severe of ${all.length} known vulnerabilities`].join('\n') }
}
