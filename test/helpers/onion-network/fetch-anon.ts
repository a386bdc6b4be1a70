/**
 * `npm run fetch-anon`: Anyone's daemon out of its npm package, into a cache folder of the user. The package is packed, not installed: its
 * postinstall would compile and download more. Does nothing when the programs are there.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ANON, ANON_FOLDER } from './flavor.ts'

/** The package has 48 MB. */
const LIMIT_MS = 300_000

function fetchAnon(): void {
  const program = join(ANON_FOLDER, ANON.programs, 'anon')
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`the package has no programs for ${process.platform}-${process.arch}`)
  if (existsSync(program)) return console.log(`${program} is there`)
  mkdirSync(dirname(ANON_FOLDER), { recursive: true })
  // Beside its place, so that half a package is never taken for one.
  const folder = mkdtempSync(`${ANON_FOLDER}-`)
  try {
    const run = (command: string, ...args: string[]): string =>
      execFileSync(command, args, { cwd: folder, encoding: 'utf8', timeout: LIMIT_MS, stdio: ['ignore', 'pipe', 'inherit'] })
    const archive = run('npm', 'pack', '--silent', '--ignore-scripts', `${ANON.package}@${ANON.version}`).trim().split('\n').at(-1) ?? ''
    run('tar', 'xzf', archive, ANON.programs)
    const sha256 = createHash('sha256')
      .update(readFileSync(join(folder, ANON.programs, 'anon')))
      .digest('hex')
    if (sha256 !== ANON.sha256) throw new Error(`anon has the checksum ${sha256} and not ${ANON.sha256}`)
    run('chmod', '755', join(ANON.programs, 'anon'), join(ANON.programs, 'anon-gencert'))
    rmSync(join(folder, archive))
    renameSync(folder, ANON_FOLDER)
    console.log(`fetched ${program}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

try {
  fetchAnon()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
