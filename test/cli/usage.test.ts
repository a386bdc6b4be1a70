import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { COMMANDS } from '../../cli/index.ts'
import { runCommandLine } from '../../cli/main.ts'
import { beam, temporaryFolder } from './beam-process.ts'
import { expectValid } from './json-schema.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder[Symbol.asyncDispose]())

describe('beam --version', () => {
  it('answers without the CLI, the same as the package says', () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { version: string }
    expect(execFileSync(process.execPath, [`${ROOT}/cli/bin/run.js`, '--version'], { encoding: 'utf8' })).toBe(`beam ${version}\n`)
  })
})

describe('beam --help', () => {
  it('names every command and how to begin, in 80 columns', async () => {
    const { code, stdout, stderr } = await beam(['--help'], folder.path)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('$ beam 3000')
    for (const id of Object.keys(COMMANDS)) expect(stdout).toContain(id.split(':')[0])
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('is what beam alone shows', async () => {
    expect((await beam([], folder.path)).stdout).toBe((await beam(['help'], folder.path)).stdout)
  })

  it('has examples for a command', async () => {
    const { code, stdout } = await beam(['connect', '--help'], folder.path)
    expect(code).toBe(0)
    expect(stdout).toContain('EXAMPLES\n  $ beam connect')
    expect(stdout).not.toContain('<%=')
  })

  it.each(Object.entries(COMMANDS))('has a summary and examples for %s', (_, command) => {
    expect(command.summary).toMatch(/\.$/)
    expect(command.examples?.length).toBeGreaterThan(0)
  })
})

describe('wrong usage', () => {
  it.each([
    [['doctr'], 'There is no command “doctr”', 'Did you mean beam doctor?'],
    [['300x'], 'no port either', 'beam 3000'],
    [['key', 'shwo'], 'There is no command “key shwo”', 'Did you mean beam key show?'],
    [['constructor'], 'There is no command', ''],
    [['beam://abc'], 'is an address', 'beam connect beam://abc'],
    [['3000', '--nme', 'web'], 'There is no flag --nme', 'Did you mean --name?'],
    [['3000', '--xyzzy'], 'There is no flag --xyzzy', '--help'],
    [['--qr'], 'A port or a command is missing', 'beam 3000'],
    [['expose'], 'Which port?', 'beam 3000'],
    [['0'], '“0” is no port', ''],
    [['3000', '99999'], '“99999” is no port', ''],
    [['3000', '8080', '--name', 'web'], '--name was given once for 2 services', ''],
    [['3000', '--strategy', 'best'], 'to be one of: priority', ''],
    [['3000', '--strategy', 'priority', '--fallback'], 'contradict', ''],
    [['3000', '--secret', ''], '--secret is empty', ''],
    [['connect'], 'Missing 1 required arg', ''],
    [['connect', 'beam://x', '--port', '70000'], '“70000” is no port', ''],
    [['connect', 'beam://x', '--stdio', '--url-only'], '--url-only', ''],
    [['connect', 'beam://x', '--stdio', '--secret', '-'], 'standard input carries the connection', 'BEAM_SECRET'],
    [['completion', 'tcsh'], 'to be one of: bash', ''],
  ])('beam %j says what is wrong, and exits with 2', async (args, message, hint) => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      expect(await runCommandLine(args, ROOT)).toBe(2)
      const text = stderr.mock.calls.map(([chunk]) => String(chunk)).join('')
      expect(text).toContain(message)
      expect(text).toContain(hint)
      expect(text).not.toMatch(/^\s+at /m)
      expect(stdout).not.toHaveBeenCalled()
    } finally {
      stdout.mockRestore()
      stderr.mockRestore()
    }
  })

  it('is one JSON line on stdout with --json', async () => {
    const { code, stdout, stderr } = await beam(['3000', '--json', '--nme'], folder.path)
    const event: unknown = JSON.parse(stdout)
    expectValid('events', event)
    expect(event).toMatchObject({ event: 'error', code: 'BEAM_ERR_USAGE', hint: 'Did you mean --name?' })
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
  })

  it('shows where it was found only when that is asked for', async () => {
    expect((await beam(['0', '--verbose'], folder.path)).stderr).toMatch(/^\s+at /m)
    expect((await beam(['0'], folder.path, { BEAM_DEBUG: '1' })).stderr).toMatch(/^\s+at /m)
  })
})

describe('beam doctor', () => {
  it('prints JSON that its schema describes, without touching the DHT it is told to leave alone', async () => {
    const { code, stdout } = await beam(['doctor', '--json'], folder.path)
    const report = JSON.parse(stdout) as { findings: { id: string; state: string }[] }
    expectValid('doctor', report)
    expect(code).toBe(0)
    expect(report.findings.find(({ id }) => id === 'dht')).toMatchObject({ state: 'off' })
  })

  it('exits with 1 when Beam cannot work', async () => {
    const { code, stdout } = await beam(['doctor'], folder.path, { BEAM_HOME: import.meta.filename })
    expect(stdout).toContain('Beam cannot work here')
    expect(code).toBe(1)
  })

  it('fits 80 columns and has colours only where they are wanted', async () => {
    const { stdout } = await beam(['doctor'], folder.path)
    expect(stdout).not.toContain('\u001B')
    for (const line of stdout.split('\n').filter((text) => !text.includes('/'))) expect(line.length).toBeLessThanOrEqual(80)
    expect((await beam(['doctor'], folder.path, { FORCE_COLOR: '1' })).stdout).toContain('\u001B[')
    expect((await beam(['doctor'], folder.path, { FORCE_COLOR: '1', NO_COLOR: '1' })).stdout).not.toContain('\u001B[')
  })
})

describe('beam key', () => {
  it('shows the same visitor key again', async () => {
    const { stdout } = await beam(['key', 'show', '--json'], folder.path)
    const shown = JSON.parse(stdout) as { visitorKey: string }
    expectValid('key', shown)
    expect((await beam(['key', 'show'], folder.path)).stdout).toBe(`${shown.visitorKey}\n`)
  })
})

describe('beam completion', () => {
  it('prints a script', async () => {
    const { code, stdout } = await beam(['completion', 'bash'], folder.path)
    expect(code).toBe(0)
    for (const id of Object.keys(COMMANDS)) expect(stdout).toContain(id.split(':')[0])
  })
})
