/** `npm run generate-errors [-- --check]`: docs/errors.md from the table of codes in core/errors.ts and what to do about them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_CODES, type ErrorCode } from '../../core/errors.ts'
import { ROOT } from './cruise.ts'
import { REMEDIES } from './error-remedies.ts'

const file = join(ROOT, 'docs/errors.md')
const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} | ${REMEDIES[code as ErrorCode]} |`)
const fresh = `# Error codes

Every error that Beam raises on purpose has a code. It stands behind the message, in \`code\` of \`--json\` output and of the SDK's \`BeamError\`;
what to do about it stands in \`hint\`. Plugins may use codes of their own. Made from core/errors.ts and
test/check/error-remedies.ts by \`npm run generate\`.

| code | meaning | what to do |
|---|---|---|
${rows.join('\n')}
`
let present = ''
try {
  present = readFileSync(file, 'utf8')
} catch {
  // Not made yet.
}
if (process.argv.includes('--check')) {
  if (present !== fresh) console.error('docs/errors.md is stale')
  process.exitCode = present === fresh ? 0 : 1
} else {
  writeFileSync(file, fresh)
}
