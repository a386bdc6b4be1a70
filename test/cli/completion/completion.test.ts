import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from '@oclif/core/command'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bashCompletion } from '../../../cli/completion/bash.ts'
import { fishCompletion } from '../../../cli/completion/fish.ts'
import { completionModel, nextWords, type CompletedCommand, type ListedCommand } from '../../../cli/completion/model.ts'
import { powershellCompletion } from '../../../cli/completion/powershell.ts'
import { zshCompletion } from '../../../cli/completion/zsh.ts'
import { COMMANDS } from '../../../cli/index.ts'

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

/** What oclif's list says of a command. */
function listed({ summary, flags, baseFlags, args }: Command.Class): ListedCommand {
  return { ...(summary === undefined ? {} : { summary }), flags: { ...baseFlags, ...flags }, args } as ListedCommand
}

let folder: string
let model: CompletedCommand[]
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'))
  model = completionModel(Object.fromEntries(Object.entries(COMMANDS).map(([id, command]) => [id, listed(command)])))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function script(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

/** A command line and some of what must, and must not, be offered at its end; the same for every shell. */
const CASES: ReadonlyArray<readonly [line: string, offered: readonly string[], not: readonly string[]]> = [
  ['beam ', ['connect', 'doctor', 'key', 'completion'], ['--json']],
  ['beam con', ['connect'], ['doctor']],
  ['beam key ', ['show', 'list'], ['doctor']],
  ['beam key show --', ['--json'], ['--qr']],
  ['beam connect --', ['--port', '--stdio', '--help'], ['--qr']],
  ['beam doctor --', ['--dht', '--no-dht', '--json'], ['--port']],
  ['beam 3000 --', ['--qr', '--tor', '--name'], ['--stdio']],
  ['beam 3000 --strategy ', ['fallback', 'multipath'], ['doctor']],
  ['beam --json con', ['connect'], ['doctor']],
  ['beam completion ', ['bash', 'fish'], ['connect']],
  ['beam tor ', ['status', 'newnym', 'auth'], ['add']],
  ['beam tor auth ', ['add', 'list'], ['status']],
  ['beam tor auth add --', ['--public-key', '--json'], ['--qr']],
]

describe('the model', () => {
  it('knows every command, and every flag with what it takes', () => {
    expect([...nextWords(model, []).keys()]).toEqual([...new Set(Object.keys(COMMANDS).map((id) => id.split(':')[0]))])
    const flags = model.find(({ words }) => words[0] === 'expose')?.flags ?? []
    expect(flags.find(({ name }) => name === 'strategy')).toMatchObject({ takesValue: true, values: expect.arrayContaining(['fallback']) })
    expect(flags.find(({ name }) => name === 'backend')).not.toHaveProperty('char')
    expect(flags.find(({ name }) => name === 'secret-file')).toMatchObject({ isFile: true })
  })

  it('holds nothing that a shell would interpret', () => {
    const texts = model.flatMap(({ summary, flags }) => [summary, ...flags.map(({ description }) => description)])
    for (const text of texts) expect(text).not.toMatch(/[`"'’$\\[\]:\n]/)
  })
})

describe('bash', () => {
  function complete(line: string): string[] {
    const words = line.split(' ')
    const file = script('beam.bash', bashCompletion(model))
    const list = words.map((word) => `'${word}'`).join(' ')
    const run = `source '${file}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; COMP_LINE='${line}'; _beam; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['--norc', '--noprofile', '-c', run], { encoding: 'utf8' }).trim().split('\n')
  }

  it('registers itself', () => {
    const file = script('beam.bash', bashCompletion(model))
    expect(execFileSync('bash', ['--norc', '-c', `source '${file}'; complete -p beam`], { encoding: 'utf8' })).toBe(
      'complete -F _beam beam\n',
    )
  })

  it.each(CASES)('completes “%s”', (line, offered, not) => {
    const got = complete(line)
    expect(got).toEqual(expect.arrayContaining([...offered]))
    for (const word of not) expect(got).not.toContain(word)
  })

  it('completes a value behind “=” and files', () => {
    writeFileSync(join(folder, 'word.txt'), '')
    expect(complete('beam 3000 --strategy = fall')).toEqual(['fallback'])
    expect(complete(`beam 3000 --secret-file ${folder}/wo`)).toEqual([join(folder, 'word.txt')])
  })
})

describe.runIf(has('fish'))('fish', () => {
  it.each(CASES)('completes “%s”', (line, offered, not) => {
    const file = script('beam.fish', fishCompletion(model))
    const run = `source '${file}'; complete -C '${line}'`
    const output = execFileSync('fish', ['--no-config', '-c', run], { encoding: 'utf8', env: { ...process.env, HOME: folder } })
    const got = output.split('\n').map((row) => row.split('\t')[0])
    expect(got).toEqual(expect.arrayContaining([...offered]))
    for (const word of not) expect(got).not.toContain(word)
  })
})

describe.runIf(has('zsh'))('zsh', () => {
  it('registers itself', () => {
    const file = script('_beam', zshCompletion(model))
    const run = `autoload -Uz compinit; compinit -u -D; source '${file}'; print $_comps[beam]`
    expect(execFileSync('zsh', ['-f', '-c', run], { encoding: 'utf8' })).toBe('_beam\n')
  })

  // The completion system works below a line editor only, so zsh drives another zsh at a terminal of its own and waits for each word.
  it.each([
    ['beam ', ['completion', 'connect', 'doctor', 'key']],
    ['beam 3000 --', ['--name', '--qr', '--tor']],
    ['beam 3000 --strategy ', ['fallback', 'multipath']],
    ['beam tor auth ', ['add', 'remove']],
    ['beam tor auth add --', ['--public-key']],
  ])('completes “%s”', (line, offered) => {
    const file = script('_beam', zshCompletion(model))
    const prepare = `stty rows 200 columns 200; LISTMAX=1000; autoload -Uz compinit; compinit -u -D; source ${file}; bindkey "^I" list-choices; echo LO""ADED`
    const run = [
      'zmodload zsh/zpty',
      'zpty z zsh -f -i',
      `zpty -w z '${prepare}'`,
      "zpty -r z seen '*LOADED*'",
      `zpty -w -n z '${line}'$'\\t'`,
      ...offered.map((word) => `zpty -r z seen '*${word}*' && print -- ${word}`),
      'zpty -d z',
    ].join('\n')
    const output = execFileSync('zsh', ['-f', '-c', run], {
      encoding: 'utf8',
      timeout: 15_000,
      env: { ...process.env, HOME: folder, TERM: 'vt100' },
    })
    expect(output.trim().split('\n')).toEqual(offered)
  })
})

describe('PowerShell', () => {
  it('knows every command and flag', () => {
    const text = powershellCompletion(model)
    for (const { words, flags } of model) {
      expect(text).toContain(`'${words.join(' ')}' = @{ Flags`)
      for (const { name } of flags) expect(text).toContain(`'--${name}' = '`)
    }
  })

  it.runIf(has('pwsh'))('completes flags of a command', () => {
    const file = script('beam.ps1', powershellCompletion(model))
    const run = `. '${file}'; (TabExpansion2 'beam connect --st' 17).CompletionMatches.CompletionText`
    expect(execFileSync('pwsh', ['-NoProfile', '-c', run], { encoding: 'utf8' }).trim()).toBe('--stdio')
  })
})
