import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config } from '@oclif/core/config'
import { settings } from '@oclif/core/settings'

/** What oclif is told besides what stands in package.json. */
export interface OclifOptions {
  /** Without them oclif knows no command, which is all that a command needs to run itself and spares the loading of the others. */
  readonly commands: boolean
  /** First words of commands that are none by themselves. */
  readonly topics?: Readonly<Record<string, { readonly description: string }>>
}

/** oclif's view of the package in `root`. */
export async function loadOclifConfig(root: string, options: OclifOptions): Promise<Config> {
  // The tree is known (below); with NODE_ENV=development or test oclif would look for sources of its own, and complain.
  settings.enableAutoTranspile = false
  const pjson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Config['pjson']
  const { commands: _, ...oclif } = pjson.oclif
  // Beside this file, so that it is the same tree (sources or build) that runs already.
  const index = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'index.ts' : 'index.js', import.meta.url))
  const found = { strategy: 'explicit', target: `./${relative(root, index)}`, identifier: 'COMMANDS' } as const
  const config = new Config({
    root,
    pjson: { ...pjson, oclif: { ...oclif, topics: options.topics ?? {}, ...(options.commands ? { commands: found } : {}) } },
  })
  await config.load()
  return config
}
