import { boolean } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { GEOIP_FLAG } from '../../input/network-command-flags.ts'
import { snapshots, type Snapshot } from '../../network/ask.ts'
import { distanceMs } from '../../network/figures.ts'
import type { CountryOf } from '../../network/geoip.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'
import type { PeerRow } from '../../output/network/peers-text.ts'

/** `beam network peers`: whom the nodes are linked to. */
export default class NetworkPeers extends BeamCommand {
  static override summary = 'List the linked peers, with what was measured of them.'
  static override description =
    'With --geo: how far they are by network coordinates, in which network, and, with a database of yours, in which country.'
  static override examples = [
    '<%= config.bin %> network peers',
    '<%= config.bin %> network peers --geo',
    '<%= config.bin %> network peers --geoip GeoLite2-Country.mmdb',
  ]
  static override flags = {
    geo: boolean({ description: 'Where they are instead of how they are.', helpGroup: 'OUTPUT' }),
    ...GEOIP_FLAG,
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkPeers)
    const { geoip } = flags
    const countryOf = geoip === undefined ? undefined : await (await import('../../network/geoip.ts')).openGeoip(geoip)
    const nodes = await snapshots({ addresses: geoip !== undefined })
    const rows = nodes.map((node) => ({ owner: node.owner, peers: rowsOf(node, countryOf) }))
    if (flags.json) return writeJson({ instances: rows.map(({ owner, peers }) => ({ ...owner, peers })) })
    const [{ peersText }, { ownerText }] = await Promise.all([
      import('../../output/network/peers-text.ts'),
      import('../../output/network/words.ts'),
    ])
    const { columns, paint } = outputLook()
    const geo = flags.geo || geoip !== undefined
    for (const { owner, peers } of rows) {
      if (rows.length > 1) process.stdout.write(`${paint.bold(ownerText(owner))}\n`)
      process.stdout.write(peersText(peers, columns, paint, { geo }))
    }
  }
}

function rowsOf({ status, peers }: Snapshot, countryOf: CountryOf | undefined): PeerRow[] {
  const own = status.coordinate
  return peers.map((peer) => {
    const country = peer.host === undefined ? undefined : countryOf?.(peer.host)
    return {
      ...peer,
      ...(own === undefined || peer.coordinate === undefined ? {} : { distanceMs: distanceMs(own, peer.coordinate) }),
      ...(country === undefined ? {} : { country }),
    }
  })
}
