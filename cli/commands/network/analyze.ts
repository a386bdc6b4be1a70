import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { GEOIP_FLAG } from '../../input/network-command-flags.ts'
import { analyse } from '../../network/analysis.ts'
import { snapshots } from '../../network/ask.ts'
import { outputLook } from '../../network/terminal.ts'
import { writeJson } from '../../output/config-text.ts'

/** Lines of the map in the text. */
const MAP_ROWS = 15

/** `beam network analyze`: the surroundings of the nodes in figures. */
export default class NetworkAnalyze extends BeamCommand {
  static override summary = 'Break the peers down: latency, networks, distances, countries, what they do.'
  static override examples = ['<%= config.bin %> network analyze', '<%= config.bin %> network analyze --geoip GeoLite2-Country.mmdb']
  static override flags = { ...GEOIP_FLAG, ...JSON_FLAG }

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkAnalyze)
    const { geoip } = flags
    const countryOf = geoip === undefined ? undefined : await (await import('../../network/geoip.ts')).openGeoip(geoip)
    const nodes = (await snapshots({ addresses: geoip !== undefined })).map((node) => ({ ...node, analysis: analyse(node, countryOf) }))
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, analysis }) => ({ ...owner, ...analysis })) })
    const [{ analysisText }, { mapLines }, { placesOf }] = await Promise.all([
      import('../../output/network/analysis-text.ts'),
      import('../../output/network/map-text.ts'),
      import('../../output/network/dashboard-text.ts'),
    ])
    const { columns, paint } = outputLook()
    for (const node of nodes) {
      process.stdout.write(analysisText(node.analysis, node.owner, columns, paint))
      const own = node.status.coordinate
      if (own === undefined || placesOf(node).length === 0) continue
      const map = mapLines(own, placesOf(node), { columns: Math.min(columns, 70), rows: MAP_ROWS }, paint)
      process.stdout.write(`\n${paint.bold('Latency map')}; who is who: beam network map\n${map.join('\n')}\n`)
    }
  }
}
