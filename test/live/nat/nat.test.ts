import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assertBuilt } from '../built.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'

const scenario = fileURLToPath(new URL('nat-scenario.mjs', import.meta.url))
const namespace = requireNamespaces()
const nft = requireProgram('nft', { apt: 'nftables' })

/** Start of everything, the wait for a better way than the relay, and the ends, on a machine that does other things too. */
const LIMIT_MS = 120_000

/** How a publisher and a visitor are linked in the end, by the kinds of their translators. */
const PAIRS: ReadonlyArray<readonly [publisher: string, visitor: string, ways: readonly string[]]> = [
  ['cone', 'cone', ['hole-punched']],
  ['cone', 'symmetric', ['hole-punched', 'relayed']],
  ['symmetric', 'cone', ['hole-punched', 'relayed']],
  ['symmetric', 'symmetric', ['relayed']],
  ['fullcone', 'cone', ['direct', 'hole-punched']],
  ['fullcone', 'symmetric', ['direct', 'hole-punched']],
  ['fullcone', 'udp-blocked', ['direct', 'hole-punched']],
  ['udp-blocked', 'cone', ['hole-punched']],
  ['udp-blocked', 'symmetric', ['relayed']],
  ['udp-blocked', 'udp-blocked', ['hole-punched']],
  ['double', 'cone', ['hole-punched']],
  ['double', 'symmetric', ['hole-punched', 'relayed']],
  ['double', 'udp-blocked', ['hole-punched']],
  ['double', 'double', ['hole-punched']],
  ['double', 'fullcone', ['hole-punched']],
]

describe.runIf(namespace && nft)('behind address translators', () => {
  let home: string
  beforeEach(async () => {
    assertBuilt()
    home = await mkdtemp(join(tmpdir(), 'beam-n-'))
  })
  afterEach(() => rm(home, { recursive: true, force: true }))

  it.each(PAIRS)('a publisher (%s) and a visitor (%s) are linked', { timeout: LIMIT_MS }, async (publisher, visitor, ways) => {
    const [program, ...flags] = namespace ?? ['']
    const closed = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
    const child = spawn(program, [...flags, ...closed, process.execPath, scenario, publisher, visitor], {
      env: { PATH: process.env['PATH'], HOME: home, BEAM_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS - 5_000)
    await once(child, 'close')
    clearTimeout(timer)
    if (child.exitCode !== 0) throw new Error(`the scenario ended with ${child.exitCode ?? child.signalCode}\n${output}${errors}`)
    const report = JSON.parse(output) as Record<string, unknown>
    process.stdout.write(`${publisher} – ${visitor}: ${JSON.stringify(report)}\n`)
    expect(report).toMatchObject({ bulkBytes: 16 << 20, exitCodes: [0, 0, 0] })
    expect(ways).toContain(report['kind'])
  })
})
