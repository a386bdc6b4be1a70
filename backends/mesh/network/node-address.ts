import { isIP } from 'node:net'
import { ConfigError, decodeKey, encodeKey } from '../../../core/index.ts'

/** A node and where it is dialled. */
export interface NodeAddress {
  readonly key: Buffer
  readonly host: string
  readonly port: number
}

/** `beam-node:<56 characters>@host:port`: what `beam node` prints and `p2p.peers` lists. */
export function formatNodeAddress(key: Uint8Array, { host, port }: { readonly host: string; readonly port: number }): string {
  return `beam-node:${encodeKey('node', key)}@${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

/** Hosts of networks that hide who dials: looked up in the DNS and dialled directly, they would tell who looks for them. */
const HIDDEN = /\.(?:onion|anon|i2p)\.?$/i

/** @throws ConfigError (`BEAM_ERR_ADDRESS_INVALID`) */
export function parseNodeAddress(text: string): NodeAddress {
  const match = /^(?:beam-node:)?([a-z2-7]{56})@(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i.exec(text.trim())
  const key = match?.[1] === undefined ? undefined : decodeKey('node', match[1])
  const port = Number(match?.[4])
  if (match === null || key === undefined || port < 1 || port > 65_535) {
    throw new ConfigError(`${JSON.stringify(text.slice(0, 120))} is no address of a node.`, {
      code: 'BEAM_ERR_ADDRESS_INVALID',
      hint: 'It looks like beam-node:KEY@host:port, as “beam node” prints it.',
    })
  }
  const host = match[2] ?? match[3] ?? ''
  if (HIDDEN.test(host)) {
    throw new ConfigError(`Nodes of the mesh are dialled directly, so ${host} cannot be one.`, {
      code: 'BEAM_ERR_ADDRESS_INVALID',
      hint: 'A meeting place behind such an address is named with --rendezvous (p2p.rendezvous). Here, name the IP address or the DNS name of a node.',
    })
  }
  return { key, host, port }
}
