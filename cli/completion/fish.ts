import { HELP_FLAG, nextWords, topicsOf, type CompletedCommand, type CompletedFlag } from './model.ts'

/** Completion for fish 3: lines of `complete`, one for each command and flag. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const first = [...nextWords(commands, [])]
  const lines = [
    '# fish completion for beam',
    'complete -c beam -f',
    ...first.map(([word, summary]) => `complete -c beam -n __fish_use_subcommand -a ${word} -d '${summary}'`),
    ...topicsOf(commands).flatMap((topic) => {
      const words = nextWords(commands, topic.split(' '))
      const begun = topic.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`)
      const unfinished = `'${begun.join('; and ')}; and not __fish_seen_subcommand_from ${[...words.keys()].join(' ')}'`
      return [...words].map(([word, summary]) => `complete -c beam -n ${unfinished} -a ${word} -d '${summary}'`)
    }),
    ...commands.flatMap((command) =>
      linesOf(
        command,
        first.map(([word]) => word),
      ),
    ),
  ]
  return `${lines.join('\n')}\n`
}

function linesOf(command: CompletedCommand, firstWords: readonly string[]): string[] {
  const seen = command.words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
  // The default command has no word of its own: `beam 3000 --qr`.
  const others = firstWords.filter((word) => word !== 'expose').join(' ')
  const condition = command.words[0] === 'expose' ? `not __fish_seen_subcommand_from ${others}` : seen
  return [
    ...[...command.flags, HELP_FLAG].map((flag) => `complete -c beam -n '${condition}' ${spec(flag)}`),
    ...(command.values.length > 0 ? [`complete -c beam -n '${condition}' -a '${command.values.join(' ')}'`] : []),
  ]
}

function spec({ name, char, description, takesValue, values, isFile }: CompletedFlag): string {
  const value = !takesValue ? '' : isFile ? ' -r -F' : values.length > 0 ? ` -x -a '${values.join(' ')}'` : ' -x'
  return `-l ${name}${char === undefined ? '' : ` -s ${char}`}${value} -d '${description}'`
}
