import { boolean, string } from '@oclif/core/flags'

/** For commands whose output programs read. */
export const JSON_FLAG = {
  json: boolean({ description: 'Print JSON instead of text (described in schemas/).', helpGroup: 'OUTPUT' }),
}

/** Where friends of the mesh of anonet reach this machine. */
export const ENDPOINT_FLAG = {
  endpoint: string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    description: 'IP address at which your friend reaches this machine; can be repeated. Default: the machine’s own.',
    helpValue: 'IP',
  }),
}

/** Flags about what is printed, for commands that stay in the foreground. */
export const OUTPUT_FLAGS = {
  ...JSON_FLAG,
  'url-only': boolean({ description: 'Print nothing but the address, when it is usable.', helpGroup: 'OUTPUT', exclusive: ['json'] }),
  quiet: boolean({ char: 'q', description: 'Print the address, warnings and errors only.', helpGroup: 'OUTPUT' }),
}

/** Where a secret word comes from; both ends of a tunnel have these. */
export const SECRET_FLAGS = {
  secret: string({
    description:
      'The secret word visitors must know. “-” asks for it, or reads a line of standard input. Other users of this machine may see what is given here: prefer “-”, --secret-file or BEAM_SECRET.',
    helpGroup: 'ACCESS',
    helpValue: 'WORD',
  }),
  'secret-file': string({
    description: 'Read the secret word from the first line of a file.',
    helpGroup: 'ACCESS',
    helpValue: 'FILE',
    exclusive: ['secret'],
  }),
}

/** The consent that networks which show the IP address are used together with networks that hide it. */
export const EXPOSURE_FLAG = {
  'allow-exposure': boolean({
    description: 'Allow networks that show your IP address beside networks that hide it.',
    helpGroup: 'NETWORK',
  }),
}

/** The DHT that is used. */
export const BOOTSTRAP_FLAG = {
  'p2p-bootstrap': string({
    description: 'Nodes through which the DHT is joined (host:port,…); “none” = no DHT. Default: BEAM_P2P_BOOTSTRAP, else the public ones.',
    helpGroup: 'NETWORK',
    helpValue: 'NODES',
  }),
}

/** Who carries the tunnels. */
export const CARRIER_FLAGS = {
  detach: boolean({
    char: 'd',
    description: 'Leave the tunnels with the daemon and return when they are ready; a daemon is started when none runs.',
    helpGroup: 'DAEMON',
  }),
  'no-daemon': boolean({
    description: 'Carry the tunnels in this process, also when a daemon runs.',
    helpGroup: 'DAEMON',
    exclusive: ['detach'],
  }),
}

/** How much of a log is shown. */
export const LINES_FLAG = {
  lines: string({ char: 'l', description: 'How many of the last lines to begin with.', helpGroup: 'LOG', helpValue: 'N', default: '100' }),
}

/** The configuration file, for commands about what it declares. */
export const CONFIG_FLAG = {
  file: string({
    description: 'The file. Default: BEAM_CONFIG, else beam.config.yaml here or in a folder above, else the user’s own.',
    helpGroup: 'FILE',
    helpValue: 'FILE',
  }),
}
