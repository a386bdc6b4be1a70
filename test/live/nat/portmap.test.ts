import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { assertBuilt } from '../built.ts'
import { requireNamespaces, requireProgram } from '../requirements.ts'

const scenario = fileURLToPath(new URL('portmap-scenario.mjs', import.meta.url))
const namespace = requireNamespaces()
const nft = requireProgram('nft', { apt: 'nftables' })
const daemon = requireProgram('miniupnpd', { apt: 'miniupnpd-nftables' })

/** Start of everything, asking the router three times, and the ends, on a machine that does other things too. */
const LIMIT_MS = 120_000

describe.runIf(namespace && nft && daemon)('behind a router that opens ports', () => {
  it.each(['pcp', 'upnp'])('a tunnel is reached directly (%s), and leaves no port open', { timeout: LIMIT_MS }, async (protocol) => {
    assertBuilt()
    const home = await mkdtemp(join(tmpdir(), 'beam-p-'))
    try {
      const [program, ...flags] = namespace ?? ['']
      const closed = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
      const child = spawn(program, [...flags, ...closed, process.execPath, scenario, protocol], {
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
      process.stdout.write(`${protocol}: ${JSON.stringify(report)}\n`)
      expect(report).toMatchObject({ kind: 'direct', bulkBytes: 16 << 20, left: [], exitCodes: [0, 0] })
      expect(report['mapped']).toEqual([expect.stringMatching(/^10\.1\.0\.2:\d+$/)])
      expect(report['message']).toMatch(new RegExp(`44\\.0\\.0\\.11:\\d+ here \\(${protocol}\\)`))
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  })
})
