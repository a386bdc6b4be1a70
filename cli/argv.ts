/**
 * The command line before any command sees it: `beam 3000` means `beam expose 3000`, and flags may stand before the command.
 * Pure, and without oclif, which folds leading words into the name of a command and so cannot do this itself.
 */

/** Flags of all commands that take the next word as their value (a test compares the list with the commands). */
export const FLAGS_WITH_VALUE: ReadonlySet<string> = new Set([
  '--allow',
  '--anonet-mode',
  '--anonet-port',
  '--anonet-sources',
  '--anonymity',
  '--as',
  '--auth-key',
  '--backend',
  '--backends',
  '--bind',
  '--bridge',
  '--budget',
  '--circuits',
  '--csv',
  '--dir',
  '--directory',
  '--domain',
  '--drain',
  '--duration',
  '--endpoint',
  '--every',
  '--file',
  '--for',
  '--from',
  '--geoip',
  '--hops',
  '--host-header',
  '--html',
  '--i2p-allow',
  '--i2p-as',
  '--i2p-auth',
  '--i2p-client-key',
  '--i2p-clients',
  '--i2p-deny',
  '--i2p-hostname',
  '--i2p-length',
  '--i2p-quantity',
  '--i2p-sam-port',
  '--i2p-variance',
  '--key-file',
  '--language',
  '--lines',
  '--max-p99',
  '--max-streams',
  '--min-success',
  '--name',
  '--only',
  '--output',
  '--p2p-bootstrap',
  '--p2p-discovery',
  '--p2p-mode',
  '--p2p-peers',
  '--passphrase-file',
  '--period',
  '--port',
  '--public-key',
  '--rate',
  '--rendezvous',
  '--rounds',
  '--secret',
  '--secret-file',
  '--setup-limit',
  '--strategy',
  '--time-scale',
  '--timeout',
  '--to',
  '--tor-control',
  '--tor-port',
  '--tunnel',
  '--tunnel-id',
  '--weights',
  '-b',
  '-l',
  '-n',
  '-o',
  '-p',
])

/** What can be published: a port, host:port, [IPv6]:port or scheme://…; numbers of any length, so that 99999 is called a bad port. */
const TARGET = /^(:?\d+|[a-z0-9_.-]+:\d+|\[[0-9a-f:.%a-z]*\]:\d+|(tcp|udp|https?|unix):\/\/.*)$/i

/** Whether a word names a local service rather than a command. */
export function looksLikeTarget(word: string): boolean {
  return TARGET.test(word)
}

/** Index of the first word that is neither a flag nor the value of one; -1 when there is none. */
function firstWord(argv: readonly string[]): number {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? ''
    if (word === '--') return -1
    if (!word.startsWith('-') || word === '-') return index
    if (FLAGS_WITH_VALUE.has(word)) index++
  }
  return -1
}

/** The command that the words begin with, as its id (`key:show`), and how many words it takes. The longest name wins. */
export function commandOf(argv: readonly string[], ids: readonly string[]): { readonly id: string; readonly words: number } | undefined {
  const named = ids
    .map((id) => ({ id, parts: id.split(':') }))
    .filter(({ parts }) => parts.every((part, index) => argv[index] === part))
    .toSorted((a, b) => b.parts.length - a.parts.length)[0]
  return named && { id: named.id, words: named.parts.length }
}

/** The arguments with their command in front: default command, `help` as a word, and flags before the command put right. */
export function rewriteArgv(given: readonly string[], ids: readonly string[]): string[] {
  const argv = withDefaults(given)
  if (argv[0] === 'help') return [...argv.slice(1), '--help']
  const first = firstWord(argv)
  if (first < 0) return [...argv]
  if (looksLikeTarget(argv[first] ?? '')) return ['expose', ...argv]
  const command = commandOf(argv.slice(first), ids)
  const words = first + (command?.words ?? 1)
  return [...argv.slice(first, words), ...argv.slice(0, first), ...argv.slice(words)]
}

/** Flags that also stand alone, and what they mean then. */
const ALONE: ReadonlyMap<string, string> = new Map([['--p2p-discovery', 'on']])

/** oclif knows no flag that may have a value: what stands alone gets the one that is meant. */
function withDefaults(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  return argv.map((word, index) => {
    const meant = end >= 0 && index > end ? undefined : ALONE.get(word)
    const next = argv[index + 1]
    const alone = next === undefined || next.startsWith('-') || looksLikeTarget(next)
    return meant === undefined || !alone ? word : `${word}=${meant}`
  })
}

/** Whether a flag without a value stands before `--`. */
export function hasFlag(argv: readonly string[], ...names: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => names.includes(word))
}
