import { ConfigError } from '../../../core/index.ts'

/** The settings of both networks, as their schemas have them. */
export interface OnionConfig {
  readonly binary?: string
  readonly data_dir?: string
  readonly tor_port?: number | string
  readonly control_port?: number | string
  readonly control_socket?: string
  readonly control_password?: string
  readonly torrc?: readonly string[]
  readonly bridges?: readonly string[]
  readonly transports?: Readonly<Record<string, string>>
  readonly non_anonymous?: boolean
  readonly vanguards?: { readonly lite?: 'auto' | 'on' | 'off'; readonly layer2?: readonly string[]; readonly layer3?: readonly string[] }
  readonly pow?: boolean
  readonly max_streams?: number
  readonly self_check?: boolean
  readonly stall_seconds?: number
}

/** Whether a daemon that runs already is to be used: ports or a socket are given. */
export function attaches(config: OnionConfig): boolean {
  return config.tor_port !== undefined || config.control_port !== undefined || config.control_socket !== undefined
}

/** Host and port of a setting: a port on 127.0.0.1, or `host:port`. */
export function hostAndPort(setting: string, value: number | string): { readonly host: string; readonly port: number } {
  const [, host = '127.0.0.1', portText = ''] = /^(?:(\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+):)?(\d{1,5})$/i.exec(String(value)) ?? []
  const port = Number(portText)
  if (port >= 1 && port <= 65_535) return { host: host.replace(/^\[|\]$/g, ''), port }
  throw new ConfigError(`${setting} is neither a port nor host:port: ${JSON.stringify(value)}.`)
}
