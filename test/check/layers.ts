/** `npm run layers`: nobody imports whom they must not. */
import { cruise, unseen } from './cruise.ts'

const result = cruise()
const missed = unseen(result)
for (const { rule, from, to } of result.violations) console.error(`${rule}: ${from} → ${to}`)
for (const file of missed) console.error(`not looked at: ${file}`)
console.log(`${result.modules.length} modules, ${result.violations.length} violations, ${missed.length} files not looked at`)
if (result.violations.length + missed.length > 0 || result.modules.length === 0) process.exitCode = 1
