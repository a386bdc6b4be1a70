import { ConfigError } from '../../core/index.ts'
import { parsePrefix, type Prefix } from './mesh-address.ts'

/** What a publisher can say about a tunnel on this network. */
export interface PublishWishes {
  /** Port in the mesh. Default: the local port, or any free one when it is taken. */
  readonly port?: number
  /** Only visitors with these addresses get in. Default: the whole mesh. */
  readonly sources?: readonly Prefix[]
}

/** Source prefixes of one tunnel: each is compared with each visitor. */
const MAX_SOURCES = 256

/**
 * Reads `TunnelOptions.network`: `{ friendToFriend?: true, port?, sources?: ['21.2.0.0/24', '21.3.0.1'] }`. `friendToFriend` only says what
 * is always so here.
 * @throws ConfigError for anything else
 */
export function parsePublishWishes(options: Readonly<Record<string, unknown>> = {}): PublishWishes {
  const { friendToFriend, port, sources, ...rest } = options
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined)
    throw wrong(`anonet has no option ${JSON.stringify(unknown.slice(0, 64))} for tunnels.`, 'It has: friendToFriend, port, sources.')
  if (friendToFriend !== undefined && friendToFriend !== true)
    throw wrong('friendToFriend is true or left out: anonet is always friend to friend.')
  if (port !== undefined && !(typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw wrong('The port in the mesh is a whole number between 1 and 65535.')
  }
  if (sources === undefined) return port === undefined ? {} : { port }
  if (!Array.isArray(sources) || sources.length === 0 || sources.length > MAX_SOURCES)
    throw wrong(`sources is a list of 1 to ${MAX_SOURCES} prefixes.`)
  const prefixes = sources.map((text) => {
    const prefix = parsePrefix(String(text).includes('/') ? String(text) : `${String(text)}/32`)
    if (prefix === undefined)
      throw wrong(`${JSON.stringify(String(text).slice(0, 64))} is no IPv4 address or prefix.`, 'Like this: 21.2.0.1 or 21.2.0.0/24')
    return prefix
  })
  return { ...(port !== undefined && { port }), sources: prefixes }
}

function wrong(message: string, hint?: string): ConfigError {
  return new ConfigError(message, { hint })
}
