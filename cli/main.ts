import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nearest } from '../config/nearest.ts'
import { ConfigError } from '../core/errors.ts'
import { commandOf, hasFlag, rewriteArgv } from './argv.ts'
import { Interrupted } from './lifetime.ts'
import { liveLine } from './output/live-line.ts'
import { COMMAND_IDS, LOADERS, TOPICS } from './loaders.ts'
import { EXIT, reportError } from './report-error.ts'

/** The commands as they are typed. */
const TYPED = COMMAND_IDS.map((id) => id.replaceAll(':', ' '))
const TOPIC_NAMES = Object.keys(TOPICS).map((id) => id.replaceAll(':', ' '))
/** Words of the longest name of a command. */
const MAX_NAME_WORDS = Math.max(...TYPED.map((name) => name.split(' ').length))

/** Runs a command line to its end and ends the process with its exit code. Parameters as {@link runCommandLine}. */
export async function main(given: readonly string[], root: string): Promise<void> {
  process.stdout.on('error', () => {}) // A reader that goes away ends commands that run on (Lifetime); for the others it is no failure.
  process.stderr.on('error', () => {})
  const exitCode = await runCommandLine(given, root)
  liveLine.hide()
  await Promise.all([written(process.stdout), written(process.stderr)])
  process.exit(exitCode)
}

/**
 * Runs a command line; errors are printed. Resolves with the exit code.
 *
 * @param given - the arguments after the name of the program
 * @param root - folder of the package
 */
export async function runCommandLine(given: readonly string[], root: string): Promise<number> {
  if (given.length === 1 && hasFlag(given, '--version', '-V')) {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    process.stdout.write(`beam ${version}\n`)
    return EXIT.done
  }
  const argv = rewriteArgv(given, COMMAND_IDS)
  const shown = {
    json: hasFlag(argv, '--json'),
    verbose: hasFlag(argv, '--verbose', '-v') || (process.env['BEAM_DEBUG'] ?? '') !== '',
  }
  let flags: readonly string[] = []
  try {
    const command = commandOf(argv, COMMAND_IDS)
    if (command === undefined || hasFlag(argv, '--help')) {
      await showHelp(argv, root)
    } else {
      const { default: loaded } = await LOADERS[command.id as keyof typeof LOADERS]()
      const { loadOclifConfig } = await import('./oclif-config.ts')
      flags = Object.keys({ ...loaded.baseFlags, ...loaded.flags })
      loaded.id = command.id
      await loaded.execute(argv.slice(command.words), await loadOclifConfig(root, { commands: false }))
    }
    return Number(process.exitCode ?? EXIT.done)
  } catch (error) {
    return error instanceof Interrupted ? EXIT.done : reportError(error, { ...shown, flags })
  }
}

/** Shows the help of what is named, or says that nothing has that name. */
async function showHelp(argv: readonly string[], root: string): Promise<void> {
  const words = argv.filter((word) => !word.startsWith('-'))
  const [first = ''] = words
  const command = commandOf(words, COMMAND_IDS)
  const isTopic = first !== '' && COMMAND_IDS.some((id) => id.startsWith(`${words.join(':')}:`))
  if (first !== '' && command === undefined && !isTopic) throw unknownCommand(words)
  if (first === '' && argv.length > 0 && !hasFlag(argv, '--help')) {
    throw new ConfigError('A port or a command is missing.', {
      code: 'BEAM_ERR_USAGE',
      hint: 'To publish a local port: beam 3000. For everything else: beam --help',
    })
  }
  const [{ Help }, { loadOclifConfig }] = await Promise.all([import('./output/help.ts'), import('./oclif-config.ts')])
  await new Help(await loadOclifConfig(root, { commands: true, topics: TOPICS })).showHelp(command?.id.split(':') ?? words)
}

function unknownCommand(words: readonly string[]): ConfigError {
  const [first = ''] = words
  if (/^[a-z]+:\/\//i.test(first)) {
    return new ConfigError(`${first} is an address, not a command.`, { code: 'BEAM_ERR_USAGE', hint: `To reach it: beam connect ${first}` })
  }
  const isTopic = Object.hasOwn(TOPICS, first)
  const typed = isTopic ? words.slice(0, MAX_NAME_WORDS).join(' ') : first
  const wanted = nearest(typed, TYPED) ?? nearest(typed, TOPIC_NAMES)
  return new ConfigError(`There is no command “${typed}”${isTopic ? '' : ', and it is no port either'}.`, {
    code: 'BEAM_ERR_USAGE',
    hint: wanted === undefined ? 'See beam --help. To publish a local port: beam 3000' : `Did you mean beam ${wanted}?`,
  })
}

/** Waits until everything that was written has left the process (pipes are asynchronous on some systems). */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve()
    else stream.write('', () => resolve())
  })
}
