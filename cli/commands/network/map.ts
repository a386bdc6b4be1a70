import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { GEOIP_FLAG } from '../../input/network-command-flags.ts'
import { snapshots } from '../../network/ask.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'

/** A map is no use when it is smaller, and no easier to read when it is larger. */
const [MIN_COLUMNS, MAX_COLUMNS] = [20, 140]
const [MIN_ROWS, MAX_ROWS] = [7, 40]
/** Above this error a place is little more than a guess. */
const ROUGH = 0.5

/** `beam network map`: the network around the nodes, drawn. */
export default class NetworkMap extends BeamCommand {
  static override summary = 'Draw the network around your node: how far peers are by round trips.'
  static override description =
    'The distance from the middle is the round trip that network coordinates foretell, on a logarithmic scale. It is no geography: countries are told only with a database of yours.'
  static override examples = ['<%= config.bin %> network map', '<%= config.bin %> network map --geoip GeoLite2-Country.mmdb']
  static override flags = { ...GEOIP_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkMap)
    const { geoip } = flags
    const countryOf = geoip === undefined ? undefined : await (await import('../../network/geoip.ts')).openGeoip(geoip)
    const [nodes, { mapLegend, mapLines }, { placesOf }, { countText, ownerText }, { wrap }] = await Promise.all([
      snapshots({ addresses: geoip !== undefined }),
      import('../../output/network/map-text.ts'),
      import('../../output/network/dashboard-text.ts'),
      import('../../output/network/words.ts'),
      import('../../output/layout.ts'),
    ])
    const maps = nodes.map((node) => ({ node, self: node.status.coordinate, places: placesOf(node, countryOf) }))
    if (flags.json) {
      return writeJson({
        instances: maps.map(({ node, self, places }) => ({ ...node.owner, ...(self === undefined ? {} : { self }), places })),
      })
    }
    const { paint } = outputLook()
    const columns = Math.min(Math.max(process.stdout.columns ?? 80, MIN_COLUMNS), MAX_COLUMNS)
    for (const { node, self, places } of maps) {
      process.stdout.write(`${paint.bold('The network around this node')} (@), ${ownerText(node.owner)}\n`)
      if (self === undefined || places.length === 0) {
        process.stdout.write('  No place is known yet: it takes a peer, and a few measurements.\n')
        continue
      }
      // What the list below needs, and the prompt, stay on the screen.
      const rows = Math.min(MAX_ROWS, Math.max(MIN_ROWS, (process.stdout.rows ?? 24) - Math.min(places.length, 8) - 4))
      const lines = [...mapLines(self, places, { columns, rows }, paint), '', ...mapLegend(self, places, paint)]
      process.stdout.write(`${lines.join('\n')}\n`)
      const unplaced = node.peers.length - places.length
      const remarks = [
        ...(unplaced === 0 ? [] : [`${countText(unplaced, 'peer')} more, whose place is not known yet.`]),
        ...(self.error > ROUGH ? ['The coordinates are still rough: they grow surer with every measurement.'] : []),
      ]
      for (const remark of remarks) process.stdout.write(`${paint.dim(wrap(remark, columns).join('\n'))}\n`)
    }
  }
}
