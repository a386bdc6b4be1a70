import type { Command } from '@oclif/core/command'

/** A command as oclif lists it: its flags are complete, those of all commands included. */
export type ListedCommand = Pick<Command.Loadable, 'summary' | 'flags' | 'args'>

/** A flag as completion sees it. */
export interface CompletedFlag {
  /** Without dashes. */
  readonly name: string
  readonly char?: string
  readonly description: string
  /** Whether a value follows; then `values` are the possible ones, empty = anything. */
  readonly takesValue: boolean
  readonly values: readonly string[]
  /** The value is the name of a file. */
  readonly isFile: boolean
}

/** A command as completion sees it. */
export interface CompletedCommand {
  /** The words it is typed with. */
  readonly words: readonly string[]
  readonly summary: string
  readonly flags: readonly CompletedFlag[]
  /** Possible values of its first argument. */
  readonly values: readonly string[]
}

/** The commands as completion sees them. */
export function completionModel(commands: Readonly<Record<string, ListedCommand>>): CompletedCommand[] {
  return Object.entries(commands).map(([id, command]) => ({
    words: id.split(':'),
    summary: oneLine(command.summary ?? ''),
    flags: Object.entries(command.flags).flatMap(([name, flag]) => flagsOf(name, flag)),
    values: Object.values(command.args)[0]?.options ?? [],
  }))
}

function flagsOf(name: string, flag: ListedCommand['flags'][string]): CompletedFlag[] {
  const takesValue = flag.type === 'option'
  const options = takesValue ? (flag.options ?? []) : []
  const about = {
    description: oneLine(flag.description ?? ''),
    takesValue,
    values: [...options],
    isFile: takesValue && 'helpValue' in flag && flag.helpValue === 'FILE',
  }
  const opposite = flag.type === 'boolean' && flag.allowNo ? [`no-${name}`] : []
  return [
    { name, ...(flag.char === undefined ? {} : { char: flag.char }), ...about },
    ...[...(flag.aliases ?? []), ...opposite].map((alias) => ({ name: alias, ...about })),
  ]
}

/** The first sentence, without characters that a shell would interpret (PowerShell takes ’ for a quote too). */
function oneLine(text: string): string {
  const sentence = /^.*?[.](?=\s|$)/s.exec(text)?.[0] ?? text
  return sentence
    .replaceAll('’', '')
    .replace(/[`"'$\\[\]:\n]/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
    .trim()
}

/** `--help` belongs to every command; oclif does not list it. */
export const HELP_FLAG: CompletedFlag = { name: 'help', description: 'Show help', takesValue: false, values: [], isFile: false }

/** The words that may follow the words typed so far: names of commands, at any depth. */
export function nextWords(commands: readonly CompletedCommand[], typed: readonly string[]): Map<string, string> {
  const next = new Map<string, string>()
  for (const { words, summary } of commands) {
    const word = words[typed.length]
    if (word === undefined || !typed.every((one, index) => words[index] === one)) continue
    if (!next.has(word)) next.set(word, words.length === typed.length + 1 ? summary : `Commands about ${word}`)
  }
  return next
}

/** What commands of several words begin with: `tor`, `tor auth`. */
export function topicsOf(commands: readonly CompletedCommand[]): string[] {
  return [...new Set(commands.flatMap(({ words }) => words.slice(0, -1).map((_, index) => words.slice(0, index + 1).join(' '))))]
}
