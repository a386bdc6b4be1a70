/** `npm run generate-cli [-- --check]`: docs/cli.md from the commands themselves. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from '@oclif/core/command'
import { COMMANDS } from '../../cli/index.ts'

const file = fileURLToPath(new URL('../../docs/cli.md', import.meta.url))

function section(id: string, command: Command.Class): string {
  const words = id.replaceAll(':', ' ')
  const args = Object.entries(command.args).map(([name, { required }]) =>
    required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`,
  )
  const usage = typeof command.usage === 'string' ? command.usage : [words, ...args, '[FLAGS]'].join(' ')
  const rows = Object.entries({ ...command.flags, ...command.baseFlags }).map(([name, flag]) => row(name, flag))
  const description = (command.description ?? '').replace(/(?:^ {2}.*\n?)+/gm, (block) => `\`\`\`text\n${block.trimEnd()}\n\`\`\`\n`)
  const examples = (command.examples ?? []).map((example) =>
    (typeof example === 'string' ? example : example.command).replaceAll('<%= config.bin %>', 'beam'),
  )
  return [
    `## beam ${words}`,
    command.summary ?? '',
    `    beam ${usage}`,
    description.trim(),
    argumentsOf(command),
    `| flag | meaning |\n|---|---|\n${rows.join('\n')}`,
    `\`\`\`text\n${examples.join('\n')}\n\`\`\``,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function argumentsOf(command: Command.Class): string {
  return Object.entries(command.args)
    .map(
      ([name, { description, options }]) =>
        `- \`${name.toUpperCase()}\`: ${description ?? ''}${options === undefined ? '' : ` One of ${options.join(', ')}.`}`,
    )
    .join('\n')
}

function row(name: string, flag: Command.Class['flags'][string]): string {
  const value = flag.type === 'option' ? ` ${flag.options?.join('\\|') ?? flag.helpValue?.toString() ?? 'VALUE'}` : ''
  const spellings = [
    `--${name}`,
    ...(flag.aliases ?? []).map((alias) => `--${alias}`),
    ...(flag.char === undefined ? [] : [`-${flag.char}`]),
  ]
  if (flag.type === 'boolean' && flag.allowNo) spellings.push(`--no-${name}`)
  return `| \`${spellings.join(', ')}${value}\` | ${flag.description ?? ''} |`
}

const fresh = `# The command line

\`beam 3000\` is short for \`beam expose 3000\`; flags may stand before or behind the port. \`beam --version\` prints the version, \`beam --help\` and
\`beam COMMAND --help\` say what is possible. Made from the commands by \`npm run generate\`.

Exit codes: 0 done (also after Ctrl-C, which ends a command in order within five seconds; a second Ctrl-C ends it at once), 1 it failed,
2 wrong usage or configuration. Results go to stdout; progress, warnings, errors and logs go to stderr, with \`--json\` as lines on stdout,
described in schemas/: events, key, doctor, config-output,
backend-list, backend-info, backend-test, backend-create, plugins and onion (\`.schema.json\`). With \`--verbose\` a log goes to stderr.

| variable | meaning |
|---|---|
| \`BEAM_HOME\` | Moves the folders for configuration, keys, state and sockets. |
| \`BEAM_P2P_BOOTSTRAP\` | Nodes through which the DHT is joined, \`host:port,…\`, or \`none\`. |
| \`BEAM_P2P_MDNS\` | Discovery on the local network: \`on\`, \`off\`, \`loopback\`. |
| \`BEAM_P2P_PORTMAP\` | Whether the router may be asked for a port: \`on\`, \`off\`. |
| \`BEAM_TOR_…\`, \`BEAM_ATOR_…\` | Settings of these networks (docs/tor.md). |
| \`BEAM_SECRET\` | The secret word, for \`beam expose\` and \`beam connect\`. |
| \`BEAM_DEBUG\` | Any value: stack traces of errors. |
| \`NO_COLOR\`, \`FORCE_COLOR\` | No colours, or colours also where there is no terminal. |

${Object.entries(COMMANDS)
  .map(([id, command]) => section(id, command))
  .join('\n\n')}
`

function present(): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

if (process.argv.includes('--check')) {
  const isFresh = present() === fresh
  if (!isFresh) console.error('docs/cli.md is stale: npm run generate-cli')
  process.exitCode = isFresh ? 0 : 1
} else {
  writeFileSync(file, fresh)
}
