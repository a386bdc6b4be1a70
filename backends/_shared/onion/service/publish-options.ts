import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { ConfigError, UnsupportedError } from '../../../../core/index.ts'
import { assertVirtualPort } from '../address.ts'
import type { OnionConfig } from '../config.ts'
import { MAX_CLIENTS } from '../keys/authorized-clients.ts'
import { parseClientPublicKey } from '../keys/client-key.ts'

/** Ports of one service: each is a word of one command. */
const MAX_PORTS = 64

/** Where the visitors of one port of the service are to come out. */
export type PortTarget =
  /** The tunnel's own local port. */
  | { readonly kind: 'tunnel' }
  /** Another one, as the daemon takes it: `127.0.0.1:8080`, `unix:/run/app.sock`. */
  | { readonly kind: 'address'; readonly address: string }

/** One port of an onion service. */
export interface VirtualPort {
  readonly port: number
  readonly target: PortTarget
}

/** What a tunnel can be told for this network alone (`TunnelOptions.network`). */
export interface OnionPublishOptions {
  readonly ports: readonly VirtualPort[]
  /** Public keys of visitors, base32, beside those of the store. */
  readonly clients: readonly string[]
  readonly maxStreams: number | undefined
  readonly maxStreamsCloseCircuit: boolean
  readonly pow: { readonly rate?: number; readonly burst?: number } | undefined
  readonly transient: boolean
  readonly selfCheck: boolean
}

const KNOWN = ['ports', 'clients', 'maxStreams', 'maxStreamsCloseCircuit', 'pow', 'transient', 'nonAnonymous', 'selfCheck']

/**
 * Reads the options of one tunnel; what it does not say is taken from the configuration.
 * @throws ConfigError, UnsupportedError
 */
export function publishOptions(network: Readonly<Record<string, unknown>> = {}, config: OnionConfig, backend: string): OnionPublishOptions {
  const unknown = Object.keys(network).find((key) => !KNOWN.includes(key))
  if (unknown !== undefined) {
    throw new ConfigError(`${backend} has no option ${JSON.stringify(unknown.slice(0, 64))} for a tunnel.`, {
      hint: `It has: ${KNOWN.join(', ')}.`,
    })
  }
  if (flag(network, 'nonAnonymous') === true && config.non_anonymous !== true) {
    throw new ConfigError('A tunnel that is not anonymous needs a backend that is configured so.', {
      hint: `Set backends.${backend}.config.non_anonymous: true (--non-anonymous). It gives the IP address of this machine away.`,
    })
  }
  const maxStreams = network['maxStreams'] ?? config.max_streams
  if (maxStreams !== undefined && !isCount(maxStreams, 65_535))
    throw new ConfigError('maxStreams is not a whole number between 1 and 65535.')
  const pow = powOf(network['pow'] ?? config.pow)
  return {
    ports: portsOf(network['ports']),
    clients: clientsOf(network['clients']),
    maxStreams,
    maxStreamsCloseCircuit: flag(network, 'maxStreamsCloseCircuit') ?? false,
    pow,
    transient: flag(network, 'transient') ?? false,
    selfCheck: flag(network, 'selfCheck') ?? config.self_check ?? true,
  }
}

function flag(network: Readonly<Record<string, unknown>>, key: string): boolean | undefined {
  const value = network[key]
  if (value === undefined || typeof value === 'boolean') return value
  throw new ConfigError(`${key} is neither true nor false.`)
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
}

function powOf(value: unknown): OnionPublishOptions['pow'] {
  if (value === undefined || value === false) return undefined
  if (value === true) return {}
  const { rate, burst } = (typeof value === 'object' && value !== null ? value : { rate: Number.NaN }) as {
    rate?: unknown
    burst?: unknown
  }
  for (const figure of [rate, burst]) {
    if (figure !== undefined && !isCount(figure, 65_535))
      throw new ConfigError('pow is neither true nor { rate, burst } with whole numbers from 1.')
  }
  return { ...(rate === undefined ? {} : { rate: rate as number }), ...(burst === undefined ? {} : { burst: burst as number }) }
}

function clientsOf(value: unknown): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > MAX_CLIENTS)
    throw new ConfigError(`clients is no list of at most ${MAX_CLIENTS} public keys.`)
  return [...new Set(value.map(parseClientPublicKey))]
}

function portsOf(value: unknown): readonly VirtualPort[] {
  if (value === undefined) return [{ port: 80, target: { kind: 'tunnel' } }]
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PORTS) {
    throw new ConfigError(`ports is no list of 1 to ${MAX_PORTS} ports.`)
  }
  const ports = value.map(portOf)
  const double = ports.find(({ port }, index) => ports.findIndex((other) => other.port === port) !== index)
  if (double !== undefined) throw new ConfigError(`The onion service’s port ${double.port} is given twice.`)
  return ports
}

/** `80`, `'80:3000'`, `'80:127.0.0.1:3000'`, `'80:unix:/path'`, `{ port: 80, target: 3000 }`. */
function portOf(value: unknown): VirtualPort {
  if (typeof value === 'number') return virtualPort(value, undefined)
  if (typeof value === 'string') {
    const [, port = '', target] = /^(\d{1,5})(?::(.+))?$/.exec(value) ?? []
    return virtualPort(port === '' ? value : Number(port), target)
  }
  const { port, target } = (typeof value === 'object' && value !== null ? value : {}) as { port?: unknown; target?: unknown }
  return virtualPort(port, target)
}

function virtualPort(port: unknown, target: unknown): VirtualPort {
  assertVirtualPort(port)
  return { port, target: target === undefined ? { kind: 'tunnel' } : { kind: 'address', address: targetOf(target) } }
}

/** Names are refused: the daemon would look them up in the DNS. */
function targetOf(target: unknown): string {
  const text = String(target)
  if (/^\d{1,5}$/.test(text)) {
    assertVirtualPort(Number(text))
    return `127.0.0.1:${Number(text)}`
  }
  const path = /^unix:(.+)$/.exec(text)?.[1]
  if (path !== undefined) {
    if (process.platform === 'win32') throw new UnsupportedError('Windows has no unix sockets that the daemon could use.')
    if (isAbsolute(path) && /^[\x21-\x7e]+$/.test(path) && !/["'\\]/.test(path)) return `unix:${path}`
    throw new ConfigError(`${JSON.stringify(text.slice(0, 120))} is no absolute path of a socket without spaces and quotes.`)
  }
  const [, host = '', portText = ''] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text)?.filter((part) => part !== undefined) ?? []
  const port = Number(portText)
  const address = host === 'localhost' ? '127.0.0.1' : host
  if (isIP(address) !== 0 && port >= 1 && port <= 65_535) return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
  throw new ConfigError(`${JSON.stringify(text.slice(0, 120))} is no place to which the daemon can pass visitors on.`, {
    hint: 'Use a port of this machine, address:port with an IP address, or unix:/absolute/path.',
  })
}
