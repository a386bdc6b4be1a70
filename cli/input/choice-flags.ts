import { boolean, string } from '@oclif/core/flags'
import { WANTED_LEVELS } from './budget.ts'
import { EXPOSURE_FLAG } from './flags.ts'
import { NETWORK_FLAGS, STRATEGIES } from './publish-options.ts'

const switches = Object.fromEntries(
  NETWORK_FLAGS.map((name) => [name, boolean({ description: `Short for --backend ${name}.`, helpGroup: 'NETWORK' })]),
)

/** The networks whose flags were typed (`--tor --i2p`), in that order: it is the order of preference. */
export function typedNetworks(flags: Readonly<Record<string, unknown>>, argv: readonly string[]): string[] {
  const at = (name: string): number => argv.indexOf(`--${name}`)
  return NETWORK_FLAGS.filter((name) => flags[name] === true).toSorted((a, b) => at(a) - at(b))
}

/** Which networks are used and how, for commands that publish and for those that say what publishing would do. */
export const CHOICE_FLAGS = {
  backends: string({
    char: 'b',
    aliases: ['backend'],
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    description: 'Networks to use, by preference.',
    helpGroup: 'NETWORK',
    helpValue: 'A,B',
  }),
  ...switches,
  fallback: boolean({ description: 'Short for --strategy fallback.', helpGroup: 'NETWORK' }),
  strategy: string({ options: STRATEGIES, description: 'How several networks are used.', helpGroup: 'NETWORK' }),
  anonymity: string({
    options: WANTED_LEVELS,
    description: 'Use only networks with at least so much anonymity, by what they declare.',
    helpGroup: 'NETWORK',
  }),
  budget: string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    description: 'Use only networks that declare as much: latency=2s,throughput=100kB/s,censorship=medium.',
    helpGroup: 'NETWORK',
    helpValue: 'KEY=VALUE,…',
  }),
  ...EXPOSURE_FLAG,
}
