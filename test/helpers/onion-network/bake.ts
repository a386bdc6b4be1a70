import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DIST_DELAY_S, INITIAL_INTERVAL_S, VOTE_DELAY_S, type Layout } from './configuration.ts'
import { privateFolder, type Daemon } from './daemon.ts'
import type { Flavor } from './flavor.ts'
import { makeKeys, newLayout, nodeName } from './keys.ts'
import { startRelays } from './relays.ts'

/** Relays beside the authority, which is one itself. With fewer than three, clients do not get through. */
const RELAYS = 4
/** The first vote comes this long after the start: relays have published themselves by then, or the attempt is lost. */
const BEFORE_VOTE_S = 4
/** A relay that is late for the first vote would be in the one after an hour, so everything is done again. */
const ATTEMPTS = 6
/** From the start until every relay has everything. */
const LIMIT_MS = 40_000
/** A relay asks for the consensus less and less often; SIGHUP makes it forget that. */
const BETWEEN_HUPS_MS = 1500

/** What daemons keep of the network's directory: with it a client starts warm. */
const DIRECTORY_FILES = ['cached-certs', 'cached-microdesc-consensus', 'cached-microdescs', 'cached-microdescs.new'] as const

/** What a snapshot says of itself. */
export interface Snapshot {
  readonly layout: Layout
  /** The authority's line for everybody's configuration. */
  readonly authority: string
}

/** Makes a network from nothing in `folder` (keys, vote, descriptors) and leaves it there without its processes. */
export async function bake(flavor: Flavor, folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    rmSync(folder, { recursive: true, force: true })
    try {
      return await bakeOnce(flavor, folder)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}

async function bakeOnce(flavor: Flavor, folder: string): Promise<void> {
  const layout = await newLayout(RELAYS)
  const authority = await makeKeys(flavor, layout, folder)
  const votingOffset = Math.ceil(Date.now() / 1000 + BEFORE_VOTE_S + VOTE_DELAY_S + DIST_DELAY_S) % INITIAL_INTERVAL_S
  const relays = startRelays(flavor, layout, authority, folder, votingOffset)
  try {
    await agreed(relays)
  } finally {
    await Promise.all(relays.map((relay) => relay.stop()))
  }
  const cache = privateFolder(folder, 'directory')
  for (const file of DIRECTORY_FILES) {
    const from = join(folder, nodeName(0), file)
    if (existsSync(from)) copyFileSync(from, join(cache, file))
  }
  const snapshot: Snapshot = { layout, authority }
  writeFileSync(join(folder, 'snapshot.json'), JSON.stringify(snapshot))
}

/** Waits until every relay has a consensus with all of them, and their descriptors. */
async function agreed(relays: readonly Daemon[]): Promise<void> {
  const all = relays.length
  const deadline = Date.now() + LIMIT_MS
  for (let nextHup = 0; ; await delay(25)) {
    const voted = count(relays[0], 'cached-microdesc-consensus', /^r /gm)
    if (voted > 0 && voted < all) throw new Error(`the first vote has ${voted} of ${all} relays`)
    const stable = count(relays[0], 'cached-microdesc-consensus', /^s .*\bStable\b/gm)
    if (stable < voted) throw new Error(`the first vote has ${stable} stable relays of ${voted}`)
    const behind = relays.filter(
      (relay) =>
        count(relay, 'cached-microdesc-consensus', /^r /gm) < all ||
        count(relay, 'cached-microdescs.new', /^onion-key/gm) + count(relay, 'cached-microdescs', /^onion-key/gm) < all,
    )
    if (behind.length === 0) return
    for (const relay of relays) if (!relay.running) await relay.controlPort()
    if (Date.now() > deadline) throw new Error(`no directory at ${behind.map(({ name }) => name).join(', ')}`)
    if (voted === all && Date.now() >= nextHup) {
      nextHup = Date.now() + BETWEEN_HUPS_MS
      for (const relay of behind) relay.child.kill('SIGHUP')
    }
  }
}

function count(relay: Daemon | undefined, file: string, pattern: RegExp): number {
  try {
    return readFileSync(join(relay?.folder ?? '', file), 'latin1').match(pattern)?.length ?? 0
  } catch {
    return 0
  }
}
