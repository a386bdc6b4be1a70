import type { SchemaOf } from './catalogue.ts'
import type { Edit } from './edit-text.ts'
import { readText } from './environment.ts'
import { formatKeyPath, parseKeyPath, valueAt, type KeyPath } from './key-path.ts'
import type { LoadOptions } from './load-config.ts'
import { maskSecrets } from './mask.ts'
import type { Problem } from './problem.ts'
import { requireSetting } from './setting.ts'
import { stageEdits } from './staged-edit.ts'

/** A change of the file, with the path as it is typed: `p2p.maxPeers`, `tunnels.api-server.port`, `tunnels[0].port`. */
export type Change =
  /** `text` is read in the type of the setting: `50`, `true`, `tor,nym`, `[tor, nym]`, `{ name: tor }`. */
  { readonly set: string; readonly text: string } | { readonly set: string; readonly value: unknown } | { readonly unset: string }

/** What became of a change. */
export interface EditResult {
  readonly file: string
  readonly path: string
  /** What the file said before and says now, with secrets masked; absent = nothing. */
  readonly before?: unknown
  readonly after?: unknown
  /** Whether the file was written. */
  readonly changed: boolean
  /** Those that the change brought. */
  readonly warnings: readonly Problem[]
}

/**
 * Changes one setting in the file that counts (made in the user's folder when there is none), keeping comments, order and quotes. The
 * result is checked first; a wrong one is not written. The environment plays no part.
 * @throws ConfigError · InvalidConfigError
 */
export async function editConfig(change: Change, options: LoadOptions = {}): Promise<EditResult> {
  const path = parseKeyPath('set' in change ? change.set : change.unset)
  const staged = await stageEdits(async (before, { schemaOf }) => [await toEdit(change, path, before, schemaOf)], options)
  const shown = (config: unknown): Promise<unknown> => maskSecrets(valueAt(config, path), staged.catalogue.schemaOf, config, path)
  const [before, after] = [await shown(staged.before), await shown(staged.after)]
  await staged.write()
  return {
    file: staged.file,
    path: formatKeyPath(path),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    changed: staged.changed,
    warnings: staged.warnings,
  }
}

async function toEdit(change: Change, path: KeyPath, config: unknown, schemaOf: SchemaOf): Promise<Edit> {
  if ('unset' in change) {
    // What the file has may go, known or not: that is how a slip of the pen is mended.
    if (valueAt(config, path) === undefined) await requireSetting(path, config, schemaOf)
    return { unset: path }
  }
  const { schemas } = await requireSetting(path, config, schemaOf)
  return { set: path, value: 'text' in change ? readText(change.text, schemas) : change.value }
}
