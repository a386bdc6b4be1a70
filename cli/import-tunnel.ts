import { dirname } from 'node:path'
import type { BeamConfigInput, LoadOptions, Problem } from '../config/index.ts'
import { readExchangeFile, type ExchangeFile } from '../config/exchange-file.ts'
import { planImport, tunnelToImport, type ImportWish } from '../config/import-tunnel.ts'
import { stageEdits } from '../config/staged-edit.ts'
import { ConfigError } from '../core/errors.ts'
import { parseKeys, restoreKeys, unseal, type RestoredKeys, type TunnelKeys } from '../plugins/tunnel-keys/index.ts'

/** How `beam import` goes about it. */
export interface ImportRequest {
  readonly source: string
  readonly wish: ImportWish
  readonly options: LoadOptions
  /** Restore the keys of the file. */
  readonly withKeys: boolean
  /** Replace keys that are there under the name. */
  readonly replaceKeys: boolean
  /** Asked for only when the file has keys. */
  readonly passphrase: () => Promise<string>
}

/** What became of it. */
export interface Imported {
  /** The configuration file. */
  readonly file: string
  readonly tunnel: string
  readonly networks: readonly string[]
  /** Networks that were declared anew. */
  readonly added: readonly string[]
  /** Whether the file was changed. */
  readonly changed: boolean
  /** What was restored; absent when the file has no keys or they were not wanted. */
  readonly keys?: RestoredKeys
  readonly notes: readonly string[]
  readonly warnings: readonly Problem[]
}

/**
 * Takes a tunnel of a file into the configuration that counts, and its keys. All is checked before anything is written; the keys are
 * written before the configuration, so that the tunnel is never published with others.
 * @throws BeamError
 */
export async function importTunnel({ source, wish, options, withKeys, replaceKeys, passphrase }: ImportRequest): Promise<Imported> {
  const exchange = await readExchangeFile(source)
  const keys = withKeys && exchange.keys !== undefined ? parseKeys(await unseal(exchange.keys, await passphrase())) : undefined
  const { name: from } = tunnelToImport(exchange, wish.tunnel)
  if (keys !== undefined && keys.tunnel !== from) {
    throw new ConfigError(`The keys of the file belong to the tunnel ${keys.tunnel}, not to ${from}: the file was changed.`, {
      code: 'BEAM_ERR_EXPORT_INVALID',
      hint: 'Copy the file again from where it was made. For another name use --as.',
    })
  }
  // What was left out in clear came with the keys.
  const complete = keys === undefined ? exchange : { ...exchange, omitted: [] }
  let plan: ReturnType<typeof planImport> | undefined
  const staged = await stageEdits((before) => {
    plan = planImport(before, complete, { ...wish, ...(keys === undefined ? {} : { secrets: keys.secrets }) })
    return plan.edits
  }, options)
  if (plan === undefined) throw new Error('no plan was made')
  const { name, networks, added, notes } = plan
  const restored =
    keys === undefined
      ? undefined
      : await restoreKeys(keys, {
          tunnel: name,
          networks,
          beam: { config: staged.after as BeamConfigInput, folder: dirname(staged.file) },
          replace: replaceKeys,
        })
  await staged.write()
  return {
    file: staged.file,
    tunnel: name,
    networks,
    added,
    changed: staged.changed,
    ...(restored === undefined ? {} : { keys: restored }),
    notes: [...notes, ...keyNotes(exchange, keys, restored)],
    warnings: staged.warnings,
  }
}

function keyNotes(exchange: ExchangeFile, keys: TunnelKeys | undefined, restored: RestoredKeys | undefined): string[] {
  if (keys === undefined) {
    return [
      exchange.keys === undefined
        ? 'The file has no keys: the tunnel gets new addresses here.'
        : 'The keys of the file were not restored: the tunnel gets new addresses here.',
    ]
  }
  const unused = [...keys.backends.keys()].filter((network) => restored?.networks.includes(network) !== true)
  return unused.length === 0
    ? []
    : [`Keys that were not restored, because the network is not used or not installed here: ${unused.join(', ')}.`]
}
