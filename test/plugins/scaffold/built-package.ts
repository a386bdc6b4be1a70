import { spawn } from 'node:child_process'
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** Compiling this repository takes seconds on an idle machine. */
const BUILD_LIMIT_MS = 180_000

/** Runs a program in a folder; rejects with all that it wrote when it fails. */
export function run(program: string, args: readonly string[], cwd: string, timeoutMs = BUILD_LIMIT_MS): Promise<string> {
  // Not as a part of the test run that started it, in which node's test runner would report to nobody.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output.slice(-20_000)}`))
    })
  })
}

const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')

/** Compiles a project with this repository's compiler. */
export function compile(project: string, ...flags: readonly string[]): Promise<string> {
  return run(process.execPath, [tsc, '-p', project, ...flags], project)
}

/**
 * Builds Beam into a folder of its own, as `npm pack` would hold it (without its dependencies): all of it, or only the part that
 * backends import (`beam-tunnel/core` and `beam-tunnel/testing`), which is much quicker.
 */
export async function buildPackage(folder: string, part: 'all' | 'core'): Promise<void> {
  await mkdir(folder, { recursive: true })
  const build = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { rootDir: ROOT, outDir: join(folder, 'dist'), declarationMap: false, typeRoots: [join(ROOT, 'node_modules/@types')] },
    include: (part === 'all' ? ['core', 'backends', 'plugins', 'cli', 'config'] : ['core']).map((name) => join(ROOT, name)),
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(build))
  await compile(folder)
  await rm(join(folder, 'tsconfig.json'))
  for (const file of ['package.json', 'README.md', 'LICENSE', 'schemas', 'cli/bin'])
    await cp(join(ROOT, file), join(folder, file), { recursive: true })
}

/** Puts packages into a project as `npm install` would, without a registry: links to folders. */
export async function link(project: string, packages: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, target] of Object.entries(packages)) {
    const path = join(project, 'node_modules', name)
    await mkdir(dirname(path), { recursive: true })
    await symlink(target, path, 'junction')
  }
}

/** Runs the compiled tests of a project. */
export function runTests(project: string): Promise<string> {
  const files = readdirSync(join(project, 'dist', 'test'))
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join('dist', 'test', name))
  return run(process.execPath, ['--test', '--test-reporter=tap', ...files], project)
}
