import { HELP_FLAG, nextWords, topicsOf, type CompletedCommand, type CompletedFlag } from './model.ts'

/** Completion for zsh: a file `_beam` on $fpath, or a script that is sourced. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const topics = topicsOf(commands)
  return `#compdef beam
# zsh completion for beam
_beam() {
  local command="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in -*) continue ;; esac
    command="\${command:+$command }$word"
    case "$command" in ${topics.map((topic) => `"${topic}"`).join('|')}) ;; *) break ;; esac
  done
  case "$command" in
${commands.map((command) => `    "${command.words.join(' ')}") ${nameOf(command)} ;;`).join('\n')}
${topics.map((topic) => `    "${topic}") ${describe(nextWords(commands, topic.split(' ')))} ;;`).join('\n')}
    "") if [[ "$PREFIX" == -* ]]; then _beam_expose; else ${describe(nextWords(commands, []))}; fi ;;
    *) _beam_expose ;;
  esac
}
${commands.map(functionOf).join('')}if [ "$funcstack[1]" = "_beam" ]; then _beam "$@"; else compdef _beam beam; fi
`
}

const nameOf = ({ words }: CompletedCommand): string => `_beam_${words.join('_').replaceAll('-', '_')}`

function describe(words: ReadonlyMap<string, string>): string {
  const items = [...words].map(([word, summary]) => `'${word}:${summary}'`)
  return `local -a choices=(${items.join(' ')}); _describe 'command' choices`
}

function functionOf(command: CompletedCommand): string {
  const flags = [...command.flags, HELP_FLAG].flatMap(specsOf)
  const words = command.values.length > 0 ? `'*: :(${command.values.join(' ')})'` : `'*: :_hosts'`
  return `${nameOf(command)}() {
  _arguments -s \\
${[...flags, words].map((spec) => `    ${spec}`).join(' \\\n')}
}
`
}

function specsOf({ name, char, description, takesValue, values, isFile }: CompletedFlag): string[] {
  const action = takesValue ? `:${name}:${isFile ? '_files' : values.length > 0 ? `(${values.join(' ')})` : ' '}` : ''
  const spec = (flag: string): string => `'*${flag}[${description}]${action}'`
  return [spec(`--${name}${takesValue ? '=' : ''}`), ...(char === undefined ? [] : [spec(`-${char}`)])]
}
