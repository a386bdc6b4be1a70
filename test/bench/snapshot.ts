import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'

/** What a command can load. */
const SOURCES = ['core', 'backends', 'plugins', 'config', 'cli'] as const

const compilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

/**
 * The package at `root` as `npm run build` would make it, in `folder`: dist/ may be stale, or be built anew while the bench runs.
 * Returns the script that runs `beam`.
 */
export function snapshot(root: string, folder: string): string {
  for (const source of SOURCES) {
    for (const entry of readdirSync(join(root, source), { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name)
      if (!entry.isFile() || !file.endsWith('.ts') || file.endsWith('.d.ts')) continue
      const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions, fileName: file })
      const target = join(folder, 'dist', relative(root, file)).replace(/\.ts$/, '.js')
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, outputText)
    }
  }
  for (const name of ['package.json', 'schemas', 'cli/bin']) cpSync(join(root, name), join(folder, name), { recursive: true })
  return join(folder, 'cli', 'bin', 'run.js')
}
