import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { faultOf } from '../../../cli/daemon/validate.ts'
import type { BeamProcess } from '../beam-process.ts'
import { Home } from '../daemon/home.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function home(): Promise<Home> {
  const made = await Home.make()
  open.push(made)
  return made
}

function started(at: Home, ...args: string[]): BeamProcess {
  const process = at.start(...args)
  open.push(process)
  return process
}

type Status = { instances: Array<{ pid: number; id: string; participation: string; peers: number }> }

describe('two nodes on this machine', () => {
  it('are seen, tested, restarted and reported by commands', { timeout: 120_000 }, async () => {
    const [theirs, own] = [await home(), await home()]
    const node = await started(theirs, 'node', '--bind', '127.0.0.1', '--json').event('node')
    const [address = ''] = node['addresses'] as string[]
    const tunnel = started(own, '3999', '--domain', 'myapp.local', '--p2p-mode', 'routing', '--p2p-peers', address, '--json')
    await tunnel.event('ready')
    await expect
      .poll(async () => (await own.json<Status>('network#/$defs/statusOutput', 'network', 'status')).instances[0]?.peers, {
        timeout: 30_000,
      })
      .toBe(1)

    const peers = await own.run('network', 'peers', '--geo')
    expect(peers.stdout).toContain(String(node['id']).slice(0, 10))
    const [health] = (await own.json<{ instances: Array<{ verdict: string }> }>('network#/$defs/healthOutput', 'network', 'health'))
      .instances
    expect(health?.verdict).toBe('warning')
    const test = await own.json<{ instances: Array<{ peers: unknown[] }> }>('network#/$defs/testOutput', 'network', 'test', 'connectivity')
    expect(test.instances[0]?.peers).toEqual([expect.objectContaining({ ok: true })])
    expect((await own.run('resolve', 'myapp.local')).stdout).toMatch(/^beam:\/\/[a-z2-7]{56}\n$/)

    const lines = own.start('network', 'watch', '--json')
    open.push(lines)
    await lines.event('figures')
    await own.json('network#/$defs/statusOutput', 'network', 'restart')
    await lines.event('peer-up')
    for (const line of lines.lines) expect(faultOf('network#/$defs/watchLine', JSON.parse(line))).toBeUndefined()

    const { stdout: report } = await own.run('network', 'diagnose')
    expect(report).toContain('- peers: 1')
    expect(report).not.toMatch(/127\.0\.0\.1|[a-z2-7]{30}/)
    const issue = await own.json<{ file: string }>('network#/$defs/reportOutput', 'network', 'report-issue', 'drops at 10.1.2.3')
    expect(await readFile(join(own.path, issue.file.split('/').at(-1) ?? ''), 'utf8')).toContain('drops at [ip]')
  })

  it('are missed with a hint, and what is on disk is told all the same', { timeout: 60_000 }, async () => {
    const own = await home()
    const missing = await own.run('network', 'status')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toContain('No Beam process takes part in the mesh now.')
    expect(missing.stderr).toContain('beam node')
    const { period } = await own.json<{ period: { samples: number } }>('network#/$defs/statsOutput', 'network', 'stats')
    expect(period.samples).toBe(0)
    const { settings } = await own.json<{ settings: Array<{ setting: string }> }>(
      'network#/$defs/testConfigOutput',
      'network',
      'test-config',
    )
    expect(settings.map(({ setting }) => setting)).toContain('p2p.caching')
  })
})
