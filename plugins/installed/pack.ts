import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PluginError } from '../../core/index.ts'
import { installError } from './install-error.ts'
import { npm, type NpmOptions } from './npm.ts'

/** Where copies of what was installed from this machine are kept, so that they outlive the originals. */
const TARBALLS = 'tarballs'

/**
 * Packs a folder or tarball into the folder of plugins. The copy is named by its content: the same version with other content is another
 * file, and npm takes it.
 * @throws PluginError when it is not there or no package
 */
export async function packLocal(path: string, options: NpmOptions): Promise<{ readonly name: string; readonly spec: string }> {
  await stat(path).catch((cause: unknown) => {
    throw new PluginError(`There is no folder or tarball ${path}.`, { cause })
  })
  const tarballs = join(options.folder, TARBALLS)
  await mkdir(tarballs, { recursive: true })
  const answer = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', tarballs, '--', path], options)
  const { name, filename } = readAnswer(answer, path)
  const hash = createHash('sha256')
    .update(await readFile(join(tarballs, filename)))
    .digest('hex')
    .slice(0, 12)
  const own = `${filename.replace(/\.tgz$/, '')}-${hash}.tgz`
  await rename(join(tarballs, filename), join(tarballs, own))
  return { name, spec: `file:${TARBALLS}/${own}` }
}

/** Removes copies that no dependency names any more. */
export async function dropUnused(folder: string, dependencies: Readonly<Record<string, string>>): Promise<void> {
  const used = new Set(Object.values(dependencies).map((spec) => spec.split('/').at(-1)))
  const kept = await readdir(join(folder, TARBALLS)).catch(() => [])
  await Promise.all(kept.filter((file) => !used.has(file)).map((file) => rm(join(folder, TARBALLS, file), { force: true })))
}

function readAnswer(answer: string, path: string): { readonly name: string; readonly filename: string } {
  try {
    const [packed] = JSON.parse(answer) as readonly { readonly name?: unknown; readonly filename?: unknown }[]
    const { name, filename } = packed ?? {}
    if (typeof name === 'string' && typeof filename === 'string' && !/[/\\]/.test(filename)) return { name, filename }
  } catch {
    // What is no JSON is no answer.
  }
  throw installError(`${path} cannot be packed as an npm package.`)
}
