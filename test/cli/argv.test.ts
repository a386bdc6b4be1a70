import { describe, expect, it } from 'vitest'
import { commandOf, FLAGS_WITH_VALUE, hasFlag, looksLikeTarget, rewriteArgv } from '../../cli/argv.ts'
import { COMMANDS } from '../../cli/index.ts'

const IDS = ['expose', 'connect', 'key:show', 'doctor']
const rewritten = (line: string): string => rewriteArgv(line.split(' ').filter(Boolean), IDS).join(' ')

describe('rewriteArgv', () => {
  it.each([
    ['3000', 'expose 3000'],
    ['3000 8080 --json', 'expose 3000 8080 --json'],
    ['localhost:3000', 'expose localhost:3000'],
    ['[::1]:3000', 'expose [::1]:3000'],
    ['http://localhost:3000', 'expose http://localhost:3000'],
    ['--qr 3000', 'expose --qr 3000'],
    ['--name web 3000', 'expose --name web 3000'],
    ['--name=web 3000', 'expose --name=web 3000'],
    ['-b tor 3000', 'expose -b tor 3000'],
    ['--secret - 3000', 'expose --secret - 3000'],
    ['999999', 'expose 999999'],
    ['3000 --backend veilid --p2p-discovery', 'expose 3000 --backend veilid --p2p-discovery=on'],
    ['--p2p-discovery 3000', 'expose --p2p-discovery=on 3000'],
    ['3000 --p2p-discovery --json', 'expose 3000 --p2p-discovery=on --json'],
    ['3000 --p2p-discovery loopback', 'expose 3000 --p2p-discovery loopback'],
  ])('publishes: beam %s', (line, expected) => expect(rewritten(line)).toBe(expected))

  it.each([
    ['connect beam://x --port 3000', 'connect beam://x --port 3000'],
    ['--json connect beam://x', 'connect --json beam://x'],
    ['--port 3000 connect beam://x', 'connect --port 3000 beam://x'],
    ['-v key show', 'key show -v'],
    ['help connect', 'connect --help'],
    ['help', '--help'],
    ['doctor', 'doctor'],
    ['300x', '300x'],
    ['', ''],
    ['--help', '--help'],
    ['--json', '--json'],
  ])('leaves or turns round: beam %s', (line, expected) => expect(rewritten(line)).toBe(expected))

  it('does not look behind --', () => expect(rewritten('--json -- 3000')).toBe('--json -- 3000'))
})

describe('FLAGS_WITH_VALUE', () => {
  it('lists exactly the flags of the commands that take a value: a new one has to be added', () => {
    const spelled = Object.values(COMMANDS).flatMap((command) =>
      Object.entries({ ...command.baseFlags, ...command.flags }).flatMap(([name, flag]) =>
        flag.type === 'option'
          ? [`--${name}`, ...(flag.aliases ?? []).map((alias) => `--${alias}`), ...(flag.char === undefined ? [] : [`-${flag.char}`])]
          : [],
      ),
    )
    expect([...FLAGS_WITH_VALUE].toSorted()).toEqual([...new Set(spelled)].toSorted())
  })
})

describe('commandOf', () => {
  it('takes the longest name', () => {
    expect(commandOf(['key', 'show', 'x'], ['key', 'key:show'])).toEqual({ id: 'key:show', words: 2 })
    expect(commandOf(['key', 'other'], ['key', 'key:show'])).toEqual({ id: 'key', words: 1 })
    expect(commandOf(['other'], ['key'])).toBeUndefined()
  })
})

describe('looksLikeTarget', () => {
  it('is not deceived by commands and addresses', () => {
    for (const word of ['connect', 'beam://abc', 'myapp.local', '3000x', '-1', '']) expect(looksLikeTarget(word)).toBe(false)
  })
})

describe('hasFlag', () => {
  it('ends at --', () => {
    expect(hasFlag(['a', '--json'], '--json')).toBe(true)
    expect(hasFlag(['a', '--', '--json'], '--json')).toBe(false)
  })
})
