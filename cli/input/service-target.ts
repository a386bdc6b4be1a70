import { ConfigError } from '../../core/errors.ts'

/** A local service as it was named on the command line. */
export interface ServiceTarget {
  readonly port: number
  /** Absent = this machine (`localhost`). */
  readonly host?: string
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' }

/**
 * Reads `3000`, `:3000`, `host:5432`, `[::1]:3000` and `tcp|http|https://host[:port]`.
 * @throws ConfigError (`BEAM_ERR_PORT_INVALID`, `BEAM_ERR_USAGE`)
 */
export function parseServiceTarget(text: string): ServiceTarget {
  const match = /^(?:(\w+):\/\/)?(?:(\[[0-9a-f:.%a-z]+\]|[a-z0-9_.-]*?)(?::(\d+))?|:?(\d+))(\/.*)?$/i.exec(text)
  const [, scheme = '', host = '', givenPort, alone, path = ''] = match ?? []
  if (match === null || (scheme === '' && path !== '')) throw notUnderstood(text)
  if (scheme !== '' && !/^(tcp|https?)$/i.test(scheme)) {
    throw new ConfigError(`“${text}”: ${scheme} services cannot be published, only TCP ports.`, { code: 'BEAM_ERR_USAGE' })
  }
  const isNumber = scheme === '' && givenPort === undefined && /^\d+$/.test(host)
  const portText = isNumber ? host : (givenPort ?? alone ?? DEFAULT_PORTS[scheme.toLowerCase()])
  if (portText === undefined) throw notUnderstood(text)
  const port = parsePort(portText, 1)
  const name = isNumber ? '' : host.replace(/^\[|\]$/g, '')
  return name === '' ? { port } : { port, host: name }
}

/**
 * A port number.
 * @param lowest - 0 where "any free port" can be asked for, else 1
 * @throws ConfigError (`BEAM_ERR_PORT_INVALID`)
 */
export function parsePort(text: string, lowest: 0 | 1): number {
  const port = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (port >= lowest && port <= 65_535) return port
  throw new ConfigError(`“${text}” is no port: a whole number between ${lowest} and 65535 is needed.`, { code: 'BEAM_ERR_PORT_INVALID' })
}

/** A target as people write it. */
export function formatTarget({ host = 'localhost', port }: ServiceTarget): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function notUnderstood(text: string): ConfigError {
  return new ConfigError(`“${text}” names no local service.`, {
    code: 'BEAM_ERR_USAGE',
    hint: 'Give a port (3000), a host and port (db.lan:5432, [::1]:3000) or a URL (http://localhost:3000).',
  })
}
