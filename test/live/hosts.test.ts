import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assertBuilt } from './built.ts'
import { requireNamespaces, requireProgram } from './requirements.ts'

const scenario = fileURLToPath(new URL('hosts-scenario.mjs', import.meta.url))
const namespace = requireNamespaces()
const curl = requireProgram('curl', { apt: 'curl' })

/** With the start of all processes, the time that waiting for "works again" may take twice, and the ends. */
const LIMIT_MS = 200_000

describe.runIf(namespace && curl)('two hosts on a local network', () => {
  let home: string
  beforeEach(async () => {
    assertBuilt()
    home = await mkdtemp(join(tmpdir(), 'beam-h-'))
  })
  afterEach(() => rm(home, { recursive: true, force: true }))

  async function play(scene: string): Promise<Record<string, unknown>> {
    const [program, ...flags] = namespace ?? ['']
    // Everything that the scenario starts is in its process namespace and ends with it.
    const closed = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
    const child = spawn(program, [...flags, ...closed, process.execPath, scenario, scene], {
      env: { PATH: process.env['PATH'], HOME: home, BEAM_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
    await once(child, 'close')
    clearTimeout(timer)
    if (child.exitCode !== 0) throw new Error(`the scenario ended with ${child.exitCode ?? child.signalCode}\n${output}${errors}`)
    const report = JSON.parse(output) as Record<string, unknown>
    process.stdout.write(`${scene}: ${JSON.stringify(report)}\n`)
    return report
  }

  it(
    'find each other by multicast, also after the publisher moved to another address and after its cable was out',
    { timeout: LIMIT_MS },
    async () => {
      expect(await play('multicast')).toEqual({
        found: true,
        remoteAddress: expect.stringMatching(/^10\.77\.0\.1:/) as string,
        afterMoveMs: expect.any(Number) as number,
        whileDown: false,
        afterCutMs: expect.any(Number) as number,
        exitCodes: [0, 0],
      })
    },
  )

  it('serve browsers by name with --lan, and the name follows the address', { timeout: LIMIT_MS }, async () => {
    expect(await play('browser')).toMatchObject({
      message: expect.stringMatching(/without encryption: http:\/\/myapp\.local:\d+/) as string,
      addresses: ['10.77.0.1'],
      page: 'the service behind the other host',
      followedMs: expect.any(Number) as number,
      gone: [],
      exitCodes: [0],
    })
  })

  it('find each other through a DHT of their network, and the record follows the address', { timeout: LIMIT_MS }, async () => {
    expect(await play('dht')).toEqual({
      foundMs: expect.any(Number) as number,
      before: expect.stringMatching(/^10\.77\.0\.1:/) as string,
      followedMs: expect.any(Number) as number,
      exitCodes: [0],
    })
  })
})
