/** The configuration file of an own daemon. Pure. */
import { ConfigError } from '../../../../core/index.ts'
import type { OnionConfig } from '../config.ts'
import type { Flavour } from '../flavour.ts'

/** Lines of the user's own, together with bridges. */
const MAX_LINES = 1_000
/** Longest line: a bridge has some 300 characters. */
const MAX_LINE_LENGTH = 4_096
/** Settings that Beam must make itself, with what the user can set instead. */
const OURS: Readonly<Record<string, string>> = {
  datadirectory: 'data_dir',
  controlport: 'control_port, to use a daemon that runs already',
  controlportwritetofile: 'nothing',
  controlsocket: 'control_socket, to use a daemon that runs already',
  cookieauthentication: 'nothing',
  cookieauthfile: 'nothing',
  runasdaemon: 'nothing',
  hiddenservicesinglehopmode: 'non_anonymous',
  hiddenservicenonanonymousmode: 'non_anonymous',
}
/** A relay's identity, as `HSLayer2Nodes` takes it. */
const FINGERPRINT = /^\$?[0-9A-F]{40}$/i

/** What goes into the file besides the configuration. */
export interface RcSetup {
  readonly flavour: Flavour
  readonly config: OnionConfig
  /** The data directory of this daemon. */
  readonly folder: string
  /** Beam's process. */
  readonly pid: number
  /** Programs of pluggable transports, by the name in bridge lines. */
  readonly transports: Readonly<Record<string, string>>
}

/** The file with the control port's address, in the data directory. */
export const CONTROL_PORT_FILE = 'control-port'

/**
 * The lines of the configuration file.
 * @throws ConfigError for lines that cannot be used
 */
export function rcLines({ flavour, config, folder, pid, transports }: RcSetup): readonly string[] {
  const { non_anonymous: single = false, bridges = [], torrc = [] } = config
  const own = checkedLines('torrc', torrc)
  for (const line of own) {
    const option = /^[+/]?(\w+)/.exec(line)?.[1]?.toLowerCase() ?? ''
    const instead = OURS[option]
    if (instead !== undefined) {
      throw new ConfigError(`The line ${JSON.stringify(line.slice(0, 80))} under torrc cannot be used: Beam sets ${option} itself.`, {
        hint: `Use ${instead}.`,
      })
    }
  }
  return [
    `DataDirectory ${quoted(folder)}`,
    // Only onion services go through it: nothing can leave the network by an exit, and no name is looked up.
    single ? 'SocksPort 0' : 'SocksPort 127.0.0.1:auto ExtendedErrors OnionTrafficOnly',
    ...(single ? ['HiddenServiceSingleHopMode 1', 'HiddenServiceNonAnonymousMode 1'] : []),
    'ControlPort 127.0.0.1:auto',
    `ControlPortWriteToFile ${quoted(`${folder}/${CONTROL_PORT_FILE}`)}`,
    'CookieAuthentication 1',
    'Log notice stdout',
    'ShutdownWaitLength 0',
    // Should this process die without closing its connections, the daemon finds out within 15 seconds.
    `__OwningControllerProcess ${pid}`,
    ...vanguardLines(config),
    ...bridgeLines(checkedLines('bridges', bridges), transports),
    ...flavour.lines,
    ...own,
  ]
}

function vanguardLines({ vanguards = {} }: OnionConfig): string[] {
  const { lite, layer2 = [], layer3 = [] } = vanguards
  const layer = (option: string, nodes: readonly string[]): string[] => {
    const wrong = nodes.find((node) => !FINGERPRINT.test(node))
    if (wrong !== undefined) throw new ConfigError(`vanguards: ${JSON.stringify(wrong.slice(0, 60))} is no fingerprint of a relay.`)
    return nodes.length === 0 ? [] : [`${option} ${nodes.map((node) => (node.startsWith('$') ? node : `$${node}`)).join(',')}`]
  }
  return [
    ...(lite === undefined || lite === 'auto' ? [] : [`VanguardsLiteEnabled ${lite === 'on' ? 1 : 0}`]),
    ...layer('HSLayer2Nodes', layer2),
    ...layer('HSLayer3Nodes', layer3),
  ]
}

function bridgeLines(bridges: readonly string[], transports: Readonly<Record<string, string>>): string[] {
  if (bridges.length === 0) return []
  const plugins = neededTransports(bridges).map((name) => {
    const program = transports[name]
    if (program === undefined) throw missingTransport(name)
    return `ClientTransportPlugin ${name} exec ${program}`
  })
  return ['UseBridges 1', ...bridges.map((line) => `Bridge ${withoutKeyword(line)}`), ...plugins]
}

/** The pluggable transports that bridge lines name: the first word, unless the line begins with an address. */
export function neededTransports(bridges: readonly string[]): readonly string[] {
  const names = bridges.map((line) => /^([a-z_]\w*)\s/i.exec(withoutKeyword(line))?.[1])
  return [...new Set(names.flatMap((name) => (name === undefined ? [] : [name])))]
}

/** Bridges are handed out with and without the option's name before them. */
function withoutKeyword(line: string): string {
  return line.trim().replace(/^bridge\s+/i, '')
}

function missingTransport(name: string): ConfigError {
  const hint = INSTALL[name] ?? 'Install the program of this transport'
  return new ConfigError(`The bridges need the pluggable transport ${name}, and its program was not found.`, {
    hint: `${hint}, or name it in the configuration: transports: { ${name}: /path/of/program }.`,
  })
}

const INSTALL: Readonly<Record<string, string>> = {
  obfs4: 'Install it (apt install obfs4proxy, brew install obfs4proxy)',
  snowflake: 'Install it (apt install snowflake-client)',
  meek_lite: 'Install it (apt install obfs4proxy, brew install obfs4proxy)',
}

function checkedLines(setting: string, lines: readonly string[]): readonly string[] {
  if (lines.length > MAX_LINES) throw new ConfigError(`${setting} has more than ${MAX_LINES} lines.`)
  const plain = lines.flatMap((line) => line.split(/\r?\n/)).map((line) => line.trim())
  const wrong = plain.find((line) => line.length > MAX_LINE_LENGTH || /[\0\r\n]/.test(line))
  if (wrong !== undefined) throw new ConfigError(`A line under ${setting} is longer than ${MAX_LINE_LENGTH} characters.`)
  return plain.filter((line) => line !== '' && !line.startsWith('#'))
}

/** A path as configuration files take it: a C string in quotes. */
function quoted(path: string): string {
  const bytes = Buffer.from(path, 'utf8').toString('latin1')
  return `"${bytes.replaceAll(/["\\]/g, '\\$&').replaceAll(/[^\x20-\x7e]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)}"`
}
