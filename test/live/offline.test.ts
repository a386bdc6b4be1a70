import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requireNamespaces } from './requirements.ts'
import { WAY_OUT } from './way-out.ts'

const scenario = fileURLToPath(new URL('offline-scenario.mjs', import.meta.url))
const refused = fileURLToPath(new URL('refused-scenario.mjs', import.meta.url))
const built = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const namespace = requireNamespaces()

interface Report {
  readonly status: number
  readonly intact: boolean
  /** Of the visitor and of the publisher. */
  readonly exitCodes: readonly number[]
  /** From the start of the command to `ready`, in milliseconds. */
  readonly readyMs: number
  /** Packets by interface. */
  readonly sent: Readonly<Record<string, number>>
}

describe.runIf(namespace)('beam in a network namespace', () => {
  let home: string

  beforeEach(async () => {
    if (!existsSync(built)) throw new Error('the package is not built: npm run build')
    home = await mkdtemp(join(tmpdir(), 'beam-n-'))
  })
  afterEach(() => rm(home, { recursive: true, force: true }))

  /** Runs a program after the given commands in a namespace of its own; `settings` are the only BEAM_ variables besides the home. */
  function runInside(setup: readonly string[], settings: NodeJS.ProcessEnv, ...command: readonly string[]): Promise<string> {
    const [program, ...flags] = namespace ?? ['']
    // No guard in here: the namespace itself is what nothing can leave, and what is shown is Beam as users run it.
    const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: home, BEAM_HOME: home, ...settings }
    const script = ['set -e', 'ip link set lo up', ...setup, 'exec "$@"'].join('\n')
    return new Promise((resolve, reject) => {
      const child = spawn(program, [...flags, 'sh', '-c', script, 'sh', process.execPath, ...command], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      let errors = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
      child.on('error', reject)
      child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`exit code ${code}\n${output}${errors}`))))
    })
  }

  const worked = { status: 200, intact: true, exitCodes: [0, 0] }

  it('works with nothing but loopback, with the default settings', async () => {
    const report = JSON.parse(await runInside([], {}, scenario)) as Report
    expect(report).toMatchObject(worked)
    expect(Object.keys(report.sent)).toEqual(['lo'])
    process.stdout.write(`ready without a network after ${report.readyMs} ms\n`)
  })

  it('sends nothing when it is asked for a network that is not there, or the mesh for what belongs to a hiding one', async () => {
    const report = JSON.parse(await runInside(WAY_OUT, {}, refused)) as Report & { readonly codes: readonly string[] }
    expect(report.codes[0]).toBe('BEAM_ERR_BACKEND_UNKNOWN')
    expect(new Set(report.codes.slice(1))).toEqual(new Set(['BEAM_ERR_NAME_INVALID']))
    expect(report.exitCodes.every((code) => code > 0)).toBe(true)
    expect(report.sent['out0']).toBe(0)
  })

  it('sends nothing when the DHT, multicast and port mapping are off, although there is a way out', async () => {
    const off = { BEAM_P2P_BOOTSTRAP: 'none', BEAM_P2P_MDNS: 'off', BEAM_P2P_PORTMAP: 'off' }
    const report = JSON.parse(await runInside(WAY_OUT, off, scenario)) as Report
    expect(report).toMatchObject(worked)
    expect(report.sent['out0']).toBe(0)
  })

  it('would be seen if it sent something', async () => {
    const program = `const s = require('node:dgram').createSocket('udp4')
      s.send('x', 9, '198.51.100.1', () => { s.close(); console.log(require('node:fs').readFileSync('/proc/self/net/dev', 'utf8')) })`
    const interfaces = await runInside(WAY_OUT, {}, '-e', program)
    const [, ...columns] =
      interfaces
        .split('\n')
        .map((line) => line.trim().split(/[:\s]+/))
        .find(([name]) => name === 'out0') ?? []
    expect(Number(columns[9])).toBe(1)
  })
})
