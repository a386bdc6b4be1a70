import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bake, type Snapshot } from './bake.ts'
import type { Flavor } from './flavor.ts'

/** Below the checkout, and gone with `npm ci`. */
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/beam-onion-network', import.meta.url))
/** Changes whenever what is baked does. */
const FORMAT = 2
/** A run that begins has to end before the consensus does. */
const MIN_LEFT_MS = 12 * 3_600_000

/** The folder of this checkout's snapshot of a private network; made when there is none or when it is too old. Takes seconds then. */
export async function snapshotFolder(flavor: Flavor): Promise<string> {
  const version = /\d[\w.]*/.exec(execFileSync(flavor.binary, ['--version'], { encoding: 'utf8' }))?.[0] ?? 'unknown'
  const folder = join(CACHE, `${flavor.name}-${version}-${FORMAT}`)
  if (isFresh(folder)) return folder
  mkdirSync(CACHE, { recursive: true })
  const made = `${folder}.${process.pid}`
  try {
    await bake(flavor, made)
    // Another run may have come first: then both are good.
    if (!isFresh(folder)) {
      rmSync(folder, { recursive: true, force: true })
      renameSync(made, folder)
    }
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
  return folder
}

/** What stands in a snapshot. */
export function readSnapshot(folder: string): Snapshot {
  return JSON.parse(readFileSync(join(folder, 'snapshot.json'), 'utf8')) as Snapshot
}

function isFresh(folder: string): boolean {
  try {
    readSnapshot(folder)
    const consensus = readFileSync(join(folder, 'directory', 'cached-microdesc-consensus'), 'latin1')
    const until = /^valid-until (\S+) (\S+)$/m.exec(consensus)
    return Date.parse(`${until?.[1]}T${until?.[2]}Z`) - Date.now() > MIN_LEFT_MS
  } catch {
    return false
  }
}
