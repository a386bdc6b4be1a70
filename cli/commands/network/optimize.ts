import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { ask } from '../../network/ask.ts'
import { writeJson } from '../../output/config-text.ts'
import { countText, ownerText } from '../../output/network/words.ts'

/** `beam network optimize`: better peers. */
export default class NetworkOptimize extends BeamCommand {
  static override summary = 'Look for better peers now: other networks, other sources, nearer ones.'
  static override description = 'The node does it by itself every half a minute; this does more of it at once. Links that are in use stay.'
  static override examples = ['<%= config.bin %> network optimize']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkOptimize)
    const nodes = await ask({ operation: 'optimize', shape: 'status' })
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, answer }) => ({ ...owner, ...answer })) })
    for (const { owner, answer } of nodes) {
      const now = answer.running
        ? `better peers are looked for, with ${countText(answer.peers ?? 0, 'peer')} now`
        : 'no node is up: nothing needed one yet'
      process.stdout.write(`${ownerText(owner)}: ${now}\n`)
    }
  }
}
