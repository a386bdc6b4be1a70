import { ConfigError, normaliseName } from '../../core/index.ts'

/**
 * Ends of names that other networks have given themselves, most of them to hide who asks: onion services (RFC 7686 section 2: whoever is
 * no Tor must not ask for them), I2P, GNUnet, Lokinet, Namecoin, Freenet, ZeroNet.
 */
const OF_OTHERS: ReadonlySet<string> = new Set(['onion', 'i2p', 'gnu', 'loki', 'bit', 'exit', 'freenet', 'zeronet'])

/**
 * A name in the spelling in which the mesh claims and looks it up. A name of another network is refused before anybody is asked for it:
 * the question alone would tell the neighbours and the nodes of the DHT what somebody wants to visit in secret.
 * @throws ConfigError (`BEAM_ERR_NAME_INVALID`)
 */
export function meshName(domain: string): string {
  const name = normaliseName(domain)
  const end = name.slice(name.lastIndexOf('.') + 1)
  if (!OF_OTHERS.has(end)) return name
  throw new ConfigError(`${name} belongs to another network: the mesh neither claims nor looks up names that end in .${end}.`, {
    code: 'BEAM_ERR_NAME_INVALID',
    hint: 'Choose the network with --backend, or another name.',
  })
}
