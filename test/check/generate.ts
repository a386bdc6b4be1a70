/**
 * `npm run generate` writes every generated file, `npm run generate:check` fails when one is stale. A generator is an npm script named
 * `generate-<what>`; with `--check` it writes nothing and exits with 1 when its file would change.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './cruise.ts'
import { npm } from './npm.ts'

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const generators = Object.keys(scripts).filter((name) => name.startsWith('generate-'))
const flags = process.argv.includes('--check') ? ['--', '--check'] : []
const stale: string[] = []
for (const name of generators) {
  const { status } = spawnSync(...npm('run', '--silent', name, ...flags), { cwd: ROOT, stdio: 'inherit', timeout: 120_000 })
  if (status !== 0) stale.push(name)
}
console.log(stale.length === 0 ? `${generators.length} generators, all fresh` : `failed or stale: ${stale.join(', ')} (npm run generate)`)
process.exitCode = stale.length === 0 ? 0 : 1
