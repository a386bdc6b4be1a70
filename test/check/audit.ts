/**
 * `npm run audit`: known vulnerabilities (high or critical) in what ships. Passes with a loud warning when nobody can be asked, because a
 * registry that is down says nothing about the tree.
 */
import { spawnSync } from 'node:child_process'
import { ROOT } from './cruise.ts'
import { judge } from './audit-report.ts'
import { npm } from './npm.ts'

const options = { cwd: ROOT, encoding: 'utf8', timeout: 60_000, maxBuffer: 64 << 20 } as const
const { stdout, error } = spawnSync(...npm('audit', '--omit=dev', '--json'), options)
const { passed, message } = judge(stdout ?? '', error?.message)
console.log(message)
process.exitCode = passed ? 0 : 1
