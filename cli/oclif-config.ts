import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config } from '@oclif/core/config'
import { TOPICS } from './loaders.ts'

/**
 * oclif's view of the package in `root`. Without `commands` it knows none, which is all that a command needs to run itself and spares
 * the loading of the others.
 */
export async function loadOclifConfig(root: string, options: { readonly commands: boolean }): Promise<Config> {
  const pjson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Config['pjson']
  const { commands: _, ...oclif } = pjson.oclif
  // Beside this file, so that it is the same tree (sources or build) that runs already.
  const index = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'index.ts' : 'index.js', import.meta.url))
  const found = { strategy: 'explicit', target: `./${relative(root, index)}`, identifier: 'COMMANDS' } as const
  const config = new Config({
    root,
    pjson: { ...pjson, oclif: { ...oclif, topics: TOPICS, ...(options.commands ? { commands: found } : {}) } },
  })
  await config.load()
  return config
}
