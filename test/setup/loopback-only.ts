/**
 * Setup of every test file: loopback only (loopback-guard.mjs, also in child processes of Node), no bootstrap list, no multicast, no port
 * mapping, and a throw-away BEAM_HOME. A test that tried to leave the machine fails, also if the code under test swallowed the error.
 */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'

// Short, because paths of unix sockets below it may have 104 bytes.
const folder = mkdtempSync(join(tmpdir(), 'beam-t-'))
const log = join(folder, 'refused.log')
writeFileSync(log, '')

process.env['BEAM_HOME'] = join(folder, 'home')
process.env['BEAM_LOOPBACK_LOG'] = log
process.env['BEAM_P2P_BOOTSTRAP'] = 'none'
process.env['BEAM_P2P_MDNS'] = 'off'
process.env['BEAM_P2P_PORTMAP'] = 'off'
// A daemon that a test starts by mistake stays off the network; live tests have a private one (test/vitest.live.config.ts).
process.env['BEAM_TOR_TORRC'] ??= 'DisableNetwork 1'
process.env['BEAM_ATOR_TORRC'] ??= 'DisableNetwork 1'
process.env['BEAM_I2P_ROUTER'] ??= 'attach'
process.env['BEAM_I2P_RESEED'] ??= 'off'

const guardUrl = new URL('loopback-guard.mjs', import.meta.url).href
const flag = `--import=${guardUrl}`
const options = process.env['NODE_OPTIONS'] ?? ''
if (!options.includes(flag)) process.env['NODE_OPTIONS'] = `${options} ${flag}`.trim()
await import(guardUrl)

function failOnRefusals(): void {
  const refused = readFileSync(log, 'utf8')
  if (refused === '') return
  truncateSync(log)
  throw new Error(`the test or a process it started tried to leave loopback:\n${refused}`)
}

afterEach(failOnRefusals)
afterAll(() => {
  try {
    failOnRefusals()
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
})
