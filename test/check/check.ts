/**
 * `npm run check [-- step …]`: everything that can be said about the tree without running the product, the same here and in CI.
 * Output of a step is shown when it fails or warns.
 */
import { spawn } from 'node:child_process'
import { ROOT } from './cruise.ts'
import { npm } from './npm.ts'

interface Step {
  /** The npm script that is run; each can be run alone. */
  readonly script: string
  readonly what: string
}

/** `build` comes first: package and documentation checks look at what it makes. */
const STEPS: readonly Step[] = [
  { script: 'build', what: 'the package compiles' },
  { script: 'typecheck', what: 'tests and examples compile' },
  { script: 'lint', what: 'oxlint with types' },
  { script: 'format:check', what: 'oxfmt' },
  { script: 'layers', what: 'who may import whom' },
  { script: 'unused', what: 'no unused file, export or dependency' },
  { script: 'generate:check', what: 'generated files are fresh' },
  { script: 'docs:api', what: 'every export is documented' },
  { script: 'docs:code', what: 'code in the documents compiles and runs' },
  { script: 'package', what: 'what would be published' },
  { script: 'audit', what: 'known vulnerabilities of what ships' },
]

/** Far above the slowest step on two cores; a step that hangs must not hang CI. */
const STEP_LIMIT_MS = 300_000

/** A step prints this at the start of a line when it passed without having seen everything. */
const WARNING = /^WARNING:.*$/gm

function run(script: string): Promise<{ passed: boolean; output: string; seconds: number }> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(...npm('run', '--silent', script), { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], timeout: STEP_LIMIT_MS })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (signal !== null) output += `\nended by ${signal} (limit ${STEP_LIMIT_MS / 1000} s)\n`
      resolve({ passed: code === 0, output, seconds: (performance.now() - started) / 1000 })
    })
  })
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !STEPS.some(({ script }) => script === name))
if (unknown.length > 0) {
  console.error(`unknown step: ${unknown.join(', ')}; there are ${STEPS.map(({ script }) => script).join(', ')}`)
  process.exit(2)
}

const failed: string[] = []
for (const { script, what } of STEPS) {
  if (wanted.length > 0 && !wanted.includes(script)) continue
  const { passed, output, seconds } = await run(script)
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${script.padEnd(15)} ${seconds.toFixed(1).padStart(5)} s  ${what}`)
  for (const [warning] of output.matchAll(WARNING)) console.log(`     ${warning}`)
  if (passed) continue
  failed.push(script)
  console.log(output.trimEnd().replace(/^/gm, '     | '))
}
console.log(failed.length === 0 ? 'all passed' : `failed: ${failed.join(', ')} (run one alone: npm run ${failed[0]})`)
process.exitCode = failed.length === 0 ? 0 : 1
