import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { beam, BeamProcess, temporaryFolder } from '../beam-process.ts'

const schema = JSON.parse(await readFile(new URL('../../../schemas/benchmark.schema.json', import.meta.url), 'utf8')) as object

describe('beam benchmark', () => {
  it('measures the mesh, says why another network has no figures, and writes tables, CSV and HTML', async () => {
    await using folder = await temporaryFolder()
    const args = ['benchmark', '-b', 'mesh,nym', '--duration', '1s', '--csv', 'figures.csv', '--html', 'report.html']
    const { code, stdout, stderr } = await beam(args, folder.path)
    expect(code).toBe(0)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
    for (const what of ['direct', 'proxy', 'mesh', 'What it hides', 'Visitors see your IP address.', 'Not measured'])
      expect(stdout).toContain(what)
    expect(stdout).toMatch(/ {2}nym +\S/)
    expect(stderr).toContain('Round 1 of 3: direct\n')
    expect(stderr).toContain('nym: cannot be measured.')
    const csv = (await readFile(join(folder.path, 'figures.csv'), 'utf8')).split('\r\n')
    expect(csv[0]).toBe('network,kind,figure,unit,value,min,max,count,problem')
    expect(csv.some((line) => /^mesh,network,requests-p99,ms,[\d.]+,,,\d+,$/.test(line))).toBe(true)
    const html = await readFile(join(folder.path, 'report.html'), 'utf8')
    expect(html).toContain("default-src 'none'")
    expect(html).toContain('new uPlot(')
    expect(html).not.toMatch(/(src|href)=/)
  }, 60_000)

  it('prints one JSON document, and fails when a limit is not kept', async () => {
    await using folder = await temporaryFolder()
    const { code, stdout, stderr } = await beam(
      ['benchmark', '-b', 'mesh', '--duration', '1s', '--json', '--quiet', '--max-p99', '1ms', '--min-success', '99%'],
      folder.path,
    )
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    const report = JSON.parse(stdout) as { verdict: { passed: boolean; checks: { what: string; passed: boolean }[] } }
    const ajv = new Ajv2020({ strict: false })
    ajv.validate(schema, report)
    expect(ajv.errors ?? []).toEqual([])
    expect(report.verdict).toMatchObject({ passed: false, checks: [{ what: 'p99Ms', passed: false }, { what: 'success' }] })
  }, 60_000)

  it('ends in order at Ctrl-C and prints what was measured until then', async () => {
    await using folder = await temporaryFolder()
    await using command = new BeamProcess(['benchmark', '-b', 'mesh', '--duration', '10m', '--json'], { folder: folder.path })
    while (!command.stderr.includes('Round 1 of 3: direct')) await new Promise((resolve) => setTimeout(resolve, 50))
    const { code, stdout } = await command.stop('SIGINT')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true, settings: { roundsDone: 0 }, backends: [{ name: 'mesh' }] })
  }, 60_000)

  it.each([
    [['-b', 'msh'], 2, 'BEAM_ERR_BACKEND_UNKNOWN'],
    [['--duration', 'soon'], 2, '--duration soon: a duration is needed.'],
    [['--duration', '10ms'], 2, 'it has to be from 1s to 24h'],
    [['--min-success', '120%'], 2, '--min-success 120%: a share is needed.'],
    [['--json', '--html'], 2, 'Standard output can take one'],
    [['--rounds', '2'], 2, 'greater than or equal to 3'],
  ])('refuses %j', async (args, exitCode, message) => {
    await using folder = await temporaryFolder()
    const { code, stdout, stderr } = await beam(['benchmark', ...args], folder.path)
    expect(code).toBe(exitCode)
    expect(stdout + stderr).toContain(message)
  })
})
