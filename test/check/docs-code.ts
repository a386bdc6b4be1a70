/**
 * `npm run docs:code`: every TypeScript block of the documents compiles against the built package, as a reader's program would; those of
 * README.md are also run, on loopback and with a throw-away home. A block that only makes sense inside a larger file is marked `ts ignore`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from './cruise.ts'
import { codeBlocks } from './code-blocks.ts'

/** A program of the README starts, shows and ends; more than this means that it hangs. */
const RUN_LIMIT_MS = 30_000

// Inside the package, so that `import 'beam-tunnel'` finds it by its own name.
const folder = join(ROOT, 'test', '.tmp', `docs-${process.pid}`)
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

mkdirSync(folder, { recursive: true })
const home = mkdtempSync(join(tmpdir(), 'beam-d-'))
let failures = 0
try {
  const blocks = documents.flatMap((document) =>
    codeBlocks(readFileSync(join(ROOT, document), 'utf8')).map((block) => ({ document, ...block })),
  )
  const files = blocks.map(({ document, line, code }) => ({ file: `${document.replaceAll(/\W/g, '-')}-${line}`, document, line, code }))
  // The reader's own backend, as the documents call it.
  writeFileSync(join(folder, 'my-backend.ts'), `export { MemoryBackend as MyBackend } from 'beam-tunnel/testing'\n`)
  for (const { file, code } of files) writeFileSync(join(folder, `${file}.ts`), code)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../../tsconfig.json',
      compilerOptions: { rootDir: '.', outDir: 'out', declaration: false, declarationMap: false, sourceMap: false },
      include: ['*.ts'],
    }),
  )
  if (files.length > 0) {
    const tsc = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
      cwd: folder,
    })
    if (tsc.status !== 0) {
      failures++
      console.error(`${tsc.stdout}${tsc.stderr}(the number in a file's name is the line in the document)`)
    }
    const guard = pathToFileURL(join(ROOT, 'test/setup/loopback-guard.mjs')).href
    for (const { file, document, line } of failures === 0 ? files : []) {
      if (document !== 'README.md') continue
      const env = { ...process.env, BEAM_HOME: home, BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }
      const args = [`--import=${guard}`, join(folder, 'out', `${file}.js`)]
      const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: RUN_LIMIT_MS })
      if (status === 0) continue
      failures++
      console.error(`${document}:${line} failed: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`)
    }
  }
  console.log(`${files.length} blocks in ${documents.length} documents, ${failures} failures`)
} finally {
  rmSync(folder, { recursive: true, force: true })
  rmSync(home, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1
