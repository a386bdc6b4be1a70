import { isIP } from 'node:net'
import { Resolver } from 'node:dns/promises'
import type { SrvRecord } from 'node:dns'
import { ConfigError, type Clock } from '../../../core/index.ts'
import { parseNodeAddress } from '../network/node-address.ts'
import { bootstrapProblem } from './bootstrap-list.ts'

/** Where nodes are listed in the DNS. */
export interface DnsPlace {
  readonly domain: string
  /** The name server to ask, as an address with or without a port; absent = the system's. */
  readonly server?: string
}

/** What a domain lists. */
export interface ListedNodes {
  /** First nodes of the DHT, `host:port`, those to be asked first in front. */
  readonly bootstrap: readonly string[]
  /** Nodes of the mesh, `beam-node:KEY@host:port`. */
  readonly peers: readonly string[]
}

/** Below the domain (RFC 2782): our service type, the same as on the local network. */
const PREFIX = '_beam._tcp.'
/** Version of what the TXT records say. */
const VERSION = 'v=1'
/** Nodes of either kind that are taken of one domain; a few that answer are enough. */
const MAX_LISTED = 16
/** One attempt at one name server, and attempts. */
const RESOLVER = { timeout: 2_000, tries: 2 }
/** How long an answer is believed: lists of nodes change seldom, and each tunnel would ask again. */
const CACHE_MS = 300_000
/** RFC 1035 section 2.3.4, less the prefix. */
const DOMAIN = /^(?=.{1,240}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i
/** What says that there is nothing, and not that nobody answered. */
const EMPTY = new Set(['ENODATA', 'ENOTFOUND'])

/**
 * Reads the setting: `example.org`, or `example.org@192.0.2.53:5353` to ask that name server.
 * @throws ConfigError
 */
export function parseDnsPlace(text: string): DnsPlace {
  const [domain = '', server, ...rest] = text
    .trim()
    .replace(/\.(?=$|@)/, '')
    .split('@')
  const [, host = server ?? '', port = '53'] = /^\[?([0-9a-f:.]+?)\]?:(\d{1,5})$/i.exec(server ?? '') ?? []
  const isServer = server === undefined || (isIP(server) !== 0 ? true : isIP(host) !== 0 && Number(port) >= 1 && Number(port) <= 65_535)
  if (DOMAIN.test(domain) && isServer && rest.length === 0) return { domain, ...(server === undefined ? {} : { server }) }
  throw new ConfigError(`dns is ${JSON.stringify(text.slice(0, 120))}.`, {
    hint: 'It looks like example.org, or example.org@192.0.2.53:5353 to ask a name server of your own.',
  })
}

/** Nodes that a domain lists in its DNS, looked up when they are first needed. Hints, like all that is found: links prove who is there. */
export class DnsNodes {
  readonly #place: DnsPlace
  readonly #clock: Clock
  #cached: { readonly until: number; readonly nodes: Promise<ListedNodes> } | undefined

  constructor(place: DnsPlace, clock: Clock) {
    this.#place = place
    this.#clock = clock
  }

  /** What the domain lists. Rejects when no name server answers. */
  nodes(): Promise<ListedNodes> {
    const now = this.#clock.monotonic()
    if (this.#cached !== undefined && now < this.#cached.until) return this.#cached.nodes
    const nodes = lookUp(this.#place)
    const cached = { until: now + CACHE_MS, nodes }
    this.#cached = cached
    // A failure is not remembered: the network may be back in a moment.
    nodes.catch(() => {
      if (this.#cached === cached) this.#cached = undefined
    })
    return nodes
  }
}

async function lookUp({ domain, server }: DnsPlace): Promise<ListedNodes> {
  const resolver = new Resolver(RESOLVER)
  if (server !== undefined) resolver.setServers([server])
  const [services, texts] = await Promise.all([
    answered(resolver.resolveSrv(PREFIX + domain), domain),
    answered(resolver.resolveTxt(PREFIX + domain), domain),
  ])
  return listedNodes(services, texts)
}

async function answered<T>(answer: Promise<T[]>, domain: string): Promise<T[]> {
  try {
    return await answer
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    if (EMPTY.has(code)) return []
    throw new Error(`the nodes of ${domain} cannot be looked up in the DNS (${code})`, { cause: error })
  }
}

/** What records say. A record that is none of ours, or damaged, says nothing; the others count all the same. */
export function listedNodes(services: readonly SrvRecord[], texts: readonly (readonly string[])[]): ListedNodes {
  // RFC 2782: the lowest priority first; of equal ones the heaviest is the likeliest.
  const inOrder = [...services].sort((a, b) => a.priority - b.priority || b.weight - a.weight)
  const said = texts.filter((strings) => strings.includes(VERSION)).flat()
  const values = (field: string): string[] => said.filter((text) => text.startsWith(field)).map((text) => text.slice(field.length))
  const bootstrap = [...inOrder.map(({ name, port }) => `${name}:${port}`), ...values('dht=')]
  return {
    bootstrap: distinct(bootstrap.filter((node) => bootstrapProblem(node) === undefined)),
    peers: distinct(values('node=').filter(isNodeAddress)),
  }
}

function distinct(list: readonly string[]): readonly string[] {
  return [...new Set(list)].slice(0, MAX_LISTED)
}

function isNodeAddress(text: string): boolean {
  try {
    parseNodeAddress(text)
    return true
  } catch {
    return false
  }
}
