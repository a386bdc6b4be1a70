import { ConfigError } from '../../../core/index.ts'
import { bootstrapProblem } from './bootstrap-list.ts'
import { parseDnsPlace, type DnsPlace } from './dns-nodes.ts'

/** How the mesh finds peers. */
export interface DiscoveryOptions {
  /** Bootstrap nodes of the DHT as `host:port`; `public` = the list that hyperdht ships, `none` = no DHT. */
  readonly bootstrap: 'public' | 'none' | readonly string[]
  /** Where further nodes are listed. With it `bootstrap` is never `public`, and may be an empty list. */
  readonly dns?: DnsPlace
  readonly mdns: MdnsMode
  /** Whether the router may be asked for a port (UPnP, NAT-PMP, PCP). */
  readonly portmap: boolean
}

/** `loopback`: multicast on 127.0.0.1 only. */
export type MdnsMode = 'on' | 'off' | 'loopback'

/** The part of the mesh's configuration block that is about discovery. */
export interface DiscoveryConfig {
  /** Absent = the public list; empty = no DHT. */
  readonly bootstrap?: readonly string[]
  /** A domain that lists nodes; empty = none. */
  readonly dns?: string
  readonly mdns?: MdnsMode
  readonly portmap?: boolean
}

const MDNS_MODES: readonly MdnsMode[] = ['on', 'off', 'loopback']
/** More bootstrap nodes are of no use: a few that answer are enough, and all of them are asked at each start. */
const MAX_BOOTSTRAP_NODES = 32

/**
 * Works out how peers are found. The environment (`BEAM_P2P_BOOTSTRAP`, `BEAM_P2P_DNS`, `BEAM_P2P_MDNS`, `BEAM_P2P_PORTMAP`) goes before the
 * configuration. A variable that is set but empty is refused: it could be meant as "none" as well as "the default".
 * @throws ConfigError naming the variable or option, its value and what is allowed.
 */
export function parseDiscoveryOptions(
  environment: Readonly<Record<string, string | undefined>>,
  config: DiscoveryConfig = {},
): DiscoveryOptions {
  const variable = (name: string): string | undefined => environment[name]?.trim()
  const dns = variable('BEAM_P2P_DNS') ?? config.dns ?? ''
  const bootstrap = parseBootstrap(variable('BEAM_P2P_BOOTSTRAP'), config.bootstrap)
  return {
    // Who names a domain means the nodes of that domain, and not those of everybody.
    bootstrap: dns !== '' && bootstrap === 'public' ? [] : bootstrap,
    ...(dns === '' ? {} : { dns: parseDnsPlace(dns) }),
    mdns: parseMdns(variable('BEAM_P2P_MDNS'), config.mdns),
    portmap: parsePortmap(variable('BEAM_P2P_PORTMAP'), config.portmap),
  }
}

function parseBootstrap(text: string | undefined, configured: readonly string[] | undefined): DiscoveryOptions['bootstrap'] {
  if (text?.toLowerCase() === 'none') return 'none'
  const where = text === undefined ? 'bootstrap' : 'BEAM_P2P_BOOTSTRAP'
  const nodes = text === undefined ? configured : text.split(',').map((node) => node.trim())
  if (nodes === undefined) return 'public'
  if (nodes.length === 0) return 'none'
  if (nodes.length > MAX_BOOTSTRAP_NODES) {
    throw new ConfigError(`${where} lists ${nodes.length} nodes; at most ${MAX_BOOTSTRAP_NODES} are allowed.`)
  }
  for (const node of nodes) {
    const problem = bootstrapProblem(node)
    if (problem !== undefined) {
      throw new ConfigError(`${where}: "${node}" ${problem}.`, {
        hint: 'Allowed: host:port, several separated by commas in the environment and as a list in the configuration, or none.',
      })
    }
  }
  return nodes
}

function parseMdns(text: string | undefined, configured: MdnsMode | undefined): MdnsMode {
  const value = text?.toLowerCase() ?? configured ?? 'on'
  const mode = MDNS_MODES.find((known) => known === value)
  if (mode !== undefined) return mode
  throw badChoice(text === undefined ? 'mdns' : 'BEAM_P2P_MDNS', text ?? value, MDNS_MODES)
}

function parsePortmap(text: string | undefined, configured: boolean | undefined): boolean {
  if (text === undefined) return configured ?? true
  const value = text.toLowerCase()
  if (value === 'on' || value === 'off') return value === 'on'
  throw badChoice('BEAM_P2P_PORTMAP', text, ['on', 'off'])
}

function badChoice(where: string, value: string, allowed: readonly string[]): ConfigError {
  return new ConfigError(`${where} is "${value}".`, { hint: `Allowed: ${allowed.join(', ')}.` })
}
