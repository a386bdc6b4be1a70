import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What a command can load. */
const SOURCES = ['core', 'backends', 'plugins', 'config', 'cli'] as const

/** Below the package, so that its dependencies and schemas are found. */
const CACHE = join(ROOT, 'test', '.tmp')

/** Copies of former states are removed after this time. */
const MAX_AGE_MS = 3_600_000

/** Whoever was killed in the middle keeps others waiting no longer than this. */
const MAX_WAIT_MS = 120_000
const STEP_MS = 100

const COMPILER_OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  inlineSourceMap: true,
}

/**
 * The `beam` command from the present sources as plain JavaScript; returns the file to run with `node`. It starts in a fifth of the time
 * that tsx takes, and unlike dist/ it cannot be stale: a copy is used again only while no source has changed.
 */
export function transpiled(): string {
  const files = SOURCES.flatMap((source) => readdirSync(join(ROOT, source), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
  const contents = files.map((file) => readFileSync(file, 'utf8'))
  const state = createHash('sha256').update(files.map((file, index) => `${file}\n${contents[index]}`).join('\n'))
  const folder = join(CACHE, `cli-${state.digest('hex').slice(0, 16)}`)
  const start = join(folder, 'beam.mjs')
  if (existsSync(start)) return start
  removeOld()
  // Files of tests that begin at the same time wait for the first of them: each of them would need the seconds that the machine lacks.
  const turn = `${folder}.turn`
  if (!isFirst(turn)) {
    for (let waited = 0; waited < MAX_WAIT_MS && existsSync(turn); waited += STEP_MS)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS)
    if (existsSync(start)) return start
  }
  // Written elsewhere and moved, so that another test file never sees half of it.
  const draft = `${folder}-${process.pid}`
  for (const [index, file] of files.entries()) {
    const target = join(draft, relative(ROOT, file)).replace(/\.ts$/, '.js')
    mkdirSync(dirname(target), { recursive: true })
    const { outputText } = ts.transpileModule(contents[index] ?? '', { compilerOptions: COMPILER_OPTIONS, fileName: file })
    // TypeScript 6 leaves import('./x.ts') as it is in a function that has a `using`; in dist/ that would only show when it runs.
    if (/\bimport\('\.[^']*\.ts'\)/.test(outputText)) throw new Error(`${file}: import() and using in one function; keep them apart`)
    writeFileSync(target, outputText)
  }
  writeFileSync(
    join(draft, 'beam.mjs'),
    `import { main } from './cli/main.js'\nawait main(process.argv.slice(2), ${JSON.stringify(ROOT)})\n`,
  )
  try {
    renameSync(draft, folder)
  } catch (error) {
    if (!existsSync(start)) throw error
    rmSync(draft, { recursive: true })
  }
  rmSync(turn, { recursive: true, force: true })
  return start
}

/** Whether nobody else has begun yet. */
function isFirst(turn: string): boolean {
  try {
    mkdirSync(turn)
    return true
  } catch {
    return false
  }
}

function removeOld(): void {
  mkdirSync(CACHE, { recursive: true })
  for (const name of readdirSync(CACHE).filter((entry) => entry.startsWith('cli-'))) {
    const folder = join(CACHE, name)
    if (Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > MAX_AGE_MS)
      rmSync(folder, { recursive: true, force: true })
  }
}
