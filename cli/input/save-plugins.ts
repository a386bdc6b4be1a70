import { createInterface } from 'node:readline/promises'
import { boolean } from '@oclif/core/flags'
import { namedPlugins } from '../../config/named-plugins.ts'
import { configOptions } from './config-options.ts'

/** Whether beam.config.yaml is changed as well. */
export const SAVE_FLAG = {
  save: boolean({
    allowNo: true,
    description:
      'Change the list plugins in beam.config.yaml accordingly (the user’s own file when there is none). Default: ask at a terminal, else leave it.',
    helpGroup: 'FILE',
  }),
}

/** What became of the file. */
export interface Saved {
  /** The file that was changed. */
  readonly saved?: string
}

/** A change of the list `plugins`. */
type PluginsChange = { readonly add: readonly string[] } | { readonly remove: string }

/** Brings the configuration in line with what was installed or removed, as far as the user wants that; says what is left to do. */
export async function savePlugins(
  change: PluginsChange,
  { save, json, verbose }: { readonly save?: boolean | undefined; readonly json: boolean; readonly verbose: boolean },
): Promise<Saved> {
  const { file, plugins } = await namedPlugins()
  const wanted = 'add' in change ? change.add.filter((name) => !plugins.includes(name)) : plugins.filter((name) => name === change.remove)
  if (wanted.length === 0) return {}
  const names = wanted.join(', ')
  if (
    !(
      save ??
      (await asked('add' in change ? `Name ${names} in ${file ?? 'your configuration'}?` : `Take ${names} out of ${file ?? ''}?`, json))
    )
  ) {
    const left =
      'add' in change
        ? `Not used yet: name ${names} under plugins in ${file ?? 'beam.config.yaml'}, or add it again with --save.`
        : `${file ?? ''} still names ${names} under plugins.`
    process.stderr.write(`${left}\n`)
    return {}
  }
  const { editConfig } = await import('../../config/index.ts')
  let saved: string | undefined
  for (const name of wanted) {
    // Every change moves the places of what follows.
    const now = (await namedPlugins()).plugins
    const options = await configOptions({ verbose })
    const edit =
      'add' in change
        ? { set: `plugins[${now.length}]`, value: name }
        : now.length === 1
          ? { unset: 'plugins' }
          : { unset: `plugins[${now.indexOf(name)}]` }
    saved = (await editConfig(edit, options)).file
  }
  if (!json && saved !== undefined) process.stdout.write(`${'add' in change ? 'Named' : 'No longer named'} in ${saved}\n`)
  return saved === undefined ? {} : { saved }
}

/** Asks at a terminal; elsewhere the answer is no. */
async function asked(question: string, json: boolean): Promise<boolean> {
  if (json || !process.stdin.isTTY || !process.stderr.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return !/^\s*n/i.test(await terminal.question(`${question} [Y/n] `))
  } finally {
    terminal.close()
  }
}
