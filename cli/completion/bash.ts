import { HELP_FLAG, nextWords, topicsOf, type CompletedCommand, type CompletedFlag } from './model.ts'

/** Completion for bash 3.2 and newer (macOS has 3.2), without the bash-completion package. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const topics = topicsOf(commands)
  return `# bash completion for beam
_beam() {
  local cur prev command i
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  # Bash breaks words at "="; what stands before it is the flag.
  if [ "$cur" = "=" ]; then cur=""; elif [ "$prev" = "=" ]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
  command=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) continue ;; esac
    command="\${command:+$command }\${COMP_WORDS[i]}"
    case "$command" in ${topics.map((topic) => `"${topic}"`).join('|')}) ;; *) break ;; esac
  done
  case "$command" in
${commands.map(caseOf).join('\n')}
${topics.map((topic) => `    "${topic}") COMPREPLY=($(compgen -W "${[...nextWords(commands, topic.split(' ')).keys()].join(' ')}" -- "$cur")) ;;`).join('\n')}
    "") _beam_expose "$cur" "$prev"
      if [[ "$cur" != -* ]] && [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -W "${[...nextWords(commands, []).keys()].join(' ')}" -- "$cur")); fi ;;
    *) _beam_expose "$cur" "$prev" ;;
  esac
}
${commands.map(functionOf).join('')}complete -F _beam beam
`
}

const nameOf = ({ words }: CompletedCommand): string => `_beam_${words.join('_').replaceAll('-', '_')}`

function caseOf(command: CompletedCommand): string {
  return `    "${command.words.join(' ')}") ${nameOf(command)} "$cur" "$prev" ;;`
}

function functionOf(command: CompletedCommand): string {
  const flags = [...command.flags, HELP_FLAG]
  const values = flags
    .filter(({ takesValue }) => takesValue)
    .map((flag) => `    ${spelled(flag).join('|')}) ${replyFor(flag)}; return ;;\n`)
  return `${nameOf(command)}() {
  local cur="$1" prev="$2"
  case "$prev" in
${values.join('')}  esac
  if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "${flags.map(({ name }) => `--${name}`).join(' ')}" -- "$cur"))
  else COMPREPLY=($(compgen -W "${command.values.join(' ')}" -- "$cur")); fi
}
`
}

function spelled({ name, char }: CompletedFlag): string[] {
  return char === undefined ? [`--${name}`] : [`--${name}`, `-${char}`]
}

function replyFor({ isFile, values }: CompletedFlag): string {
  return isFile ? 'COMPREPLY=($(compgen -f -- "$cur"))' : `COMPREPLY=($(compgen -W "${values.join(' ')}" -- "$cur"))`
}
