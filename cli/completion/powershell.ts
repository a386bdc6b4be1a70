import { HELP_FLAG, nextWords, topicsOf, type CompletedCommand } from './model.ts'

/** Completion for Windows PowerShell 5.1 and PowerShell 7. */
export function powershellCompletion(commands: readonly CompletedCommand[]): string {
  const entries = commands.map(({ words, flags, values }) => {
    const offered = [...flags, HELP_FLAG].map(({ name, description }) => `'--${name}' = '${description}'`)
    const ofFlags = flags.filter((flag) => flag.values.length > 0).map((flag) => `'--${flag.name}' = @(${quoted(flag.values)})`)
    return `    '${words.join(' ')}' = @{ Flags = [ordered]@{ ${offered.join('; ')} }; Values = @{ ${ofFlags.join('; ')} }; Words = @(${quoted(values)}) }`
  })
  const words = [[], ...topicsOf(commands).map((topic) => topic.split(' '))].map((typed) => {
    const next = [...nextWords(commands, typed)].map(([word, summary]) => `'${word}' = '${summary}'`)
    return `    '${typed.join(' ')}' = [ordered]@{ ${next.join('; ')} }`
  })
  return `# PowerShell completion for beam
Register-ArgumentCompleter -Native -CommandName beam -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $commands = @{
${entries.join('\n')}
  }
  $next = @{
${words.join('\n')}
  }
  $typed = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $command = ''
  foreach ($word in $typed) {
    if ($word.StartsWith('-')) { continue }
    $longer = "$command $word".Trim()
    if ($commands.ContainsKey($longer) -or $next.ContainsKey($longer)) { $command = $longer } else { break }
  }
  $known = if ($commands.ContainsKey($command)) { $commands[$command] } else { $commands['expose'] }
  $previous = if ($typed.Count -gt 0) { $typed[-1] } else { '' }
  $choices = [ordered]@{}
  if ($known.Values.ContainsKey($previous)) { $known.Values[$previous] | ForEach-Object { $choices[$_] = $_ } }
  elseif ($wordToComplete.StartsWith('-')) { $choices = $known.Flags }
  elseif ($next.ContainsKey($command)) { $choices = $next[$command] }
  else { $known.Words | ForEach-Object { $choices[$_] = $_ } }
  $choices.GetEnumerator() | Where-Object { $_.Key -like "$wordToComplete*" } |
    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_.Key, $_.Key, 'ParameterValue', $_.Value) }
}
`
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(', ')
}
