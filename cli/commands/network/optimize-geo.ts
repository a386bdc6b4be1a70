import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { ask } from '../../network/ask.ts'
import { writeJson } from '../../output/config-text.ts'
import { countText, ownerText } from '../../output/network/words.ts'

/** `beam network optimize-geo`: nearer peers. */
export default class NetworkOptimizeGeo extends BeamCommand {
  static override summary = 'Look for nearer peers now, by network coordinates.'
  static override description = 'Near is by measured round trips, not by geography. Nodes whose coordinate nobody told yet count as far.'
  static override examples = ['<%= config.bin %> network optimize-geo']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkOptimizeGeo)
    const nodes = await ask({ operation: 'optimize', shape: 'status', input: { near: true } })
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, answer }) => ({ ...owner, ...answer })) })
    for (const { owner, answer } of nodes) {
      const now = answer.running
        ? `nearer peers are looked for, with ${countText(answer.peers ?? 0, 'peer')} now`
        : 'no node is up: nothing needed one yet'
      process.stdout.write(`${ownerText(owner)}: ${now}\n`)
    }
  }
}
