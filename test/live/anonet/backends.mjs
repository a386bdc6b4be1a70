/** Backends of anonet as a program makes them, for scenarios inside a network namespace. Plain JavaScript: scenarios are started without a loader. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The folder with Beam as JavaScript. */
const BEAM = process.argv[2]
export const core = await import(join(BEAM, 'core/index.js'))
export const testing = await import(join(BEAM, 'core/testing/index.js'))
const { AnonetBackend } = await import(join(BEAM, 'backends/anonet/index.js'))

const DEFAULTS = { mode: 'managed', range: '21.0.0.0/8', listenPort: 51_820, bfdMs: 100, holdSeconds: 9, endpoints: ['127.0.0.1'] }

/** Folders of one user. */
export function newPaths() {
  const home = mkdtempSync(join(tmpdir(), 'beam-a-'))
  for (const name of ['data', 'run']) mkdirSync(join(home, name), { mode: 0o700 })
  return { config: join(home, 'config'), data: join(home, 'data'), state: join(home, 'state'), runtime: join(home, 'run') }
}

/** A backend that is not initialized. */
export function newBackend(config = {}, paths = newPaths()) {
  const warnings = []
  const logger = { ...core.silentLogger, warn: (message, fields) => warnings.push({ message, ...fields }), child: () => logger }
  const backend = new AnonetBackend({ config: { ...DEFAULTS, ...config }, paths, logger, clock: core.systemClock })
  return Object.assign(backend, { paths, warnings })
}

/** Makes two nodes friends, as two people do it. */
export async function befriend(inviter, invited, options = {}) {
  const { text } = await inviter.operate('invite', options.invite)
  const { answer, friend: one } = await invited.operate('accept', { text, ...options.invited })
  const { friend: other } = await inviter.operate('accept', { text: answer, ...options.inviter })
  return { inviter: one, invited: other, text, answer }
}

/** Waits until something is so. */
export async function until(what, is, limitMs = 20_000) {
  for (const deadline = Date.now() + limitMs; ; await core.sleep(20)) {
    if (await is()) return
    if (Date.now() > deadline) throw new Error(`it did not come to be within ${limitMs / 1_000} s: ${what}`)
  }
}
