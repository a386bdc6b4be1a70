/** `beam benchmark` over a private Tor network, beside the mesh. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BenchmarkReport } from '../../../plugins/benchmark/index.ts'
import { beam, temporaryFolder } from '../../cli/beam-process.ts'
import { OnionNetwork, requireTor } from '../../helpers/onion-network/index.ts'

const flavor = requireTor()

describe.runIf(flavor !== undefined)('beam benchmark over Tor', { timeout: 240_000 }, () => {
  let network: OnionNetwork
  beforeAll(async () => {
    network = await OnionNetwork.start(flavor!)
  }, 120_000)
  afterAll(() => network[Symbol.asyncDispose]())

  it('measures Tor beside the mesh: phases, figures, and the CPU and memory of its daemons', async () => {
    await using folder = await temporaryFolder()
    const config = { binary: network.flavor.binary, torrc: network.torrc }
    await writeFile(join(folder.path, 'beam.config.yaml'), JSON.stringify({ backends: [{ name: 'tor', config }, { name: 'mesh' }] }))
    const args = ['benchmark', '-b', 'tor,mesh', '--duration', '3s', '--json', '--html', 'report.html', '--min-success', '90%']
    const { code, stdout, stderr } = await beam(args, folder.path)
    expect({ code, stdout: stdout.slice(0, 20), stderr }).toMatchObject({ code: 0, stdout: '{"schema":"beam.benc' })
    const report = JSON.parse(stdout) as BenchmarkReport
    const [tor, mesh] = report.backends
    const { networkUpMs = 0, publishedMs = 0, reachableMs = 0, firstByteMs = 0, phases = [] } = tor?.setup ?? {}
    expect([networkUpMs > 0, publishedMs > networkUpMs, reachableMs > publishedMs, firstByteMs > reachableMs]).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(phases.some(({ end, percent }) => end === 'publisher' && percent !== undefined)).toBe(true)
    expect(tor).toMatchObject({ hides: { publisherIpHidden: true, visitorIpHidden: true }, path: { kind: 'onion' } })
    expect(mesh?.hides?.publisherIpHidden).toBe(false)
    expect(tor?.figures?.cost.processes).toEqual(['tor'])
    expect(tor?.figures?.cost.daemonsMib).toBeGreaterThan(10)
    expect(mesh?.figures?.cost.daemonsMib).toBe(0)
    expect(tor?.figures?.transfers['1MiB']?.count).toBeGreaterThan(0)
    expect(tor?.figures?.goodput.down?.median).toBeGreaterThan(10_000)
    // Six relays' work is more than none: whatever the machine, the ratio of the medians shows it.
    expect(tor?.figures?.firstByte?.p50Ms).toBeGreaterThan(mesh?.figures?.firstByte?.p50Ms ?? Infinity)
    expect(await readFile(join(folder.path, 'report.html'), 'utf8')).toContain('tor')
  })
})
