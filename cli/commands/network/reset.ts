import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { ask } from '../../network/ask.ts'
import { writeJson } from '../../output/config-text.ts'
import { countText, ownerText } from '../../output/network/words.ts'

/** `beam network reset`: the node anew, without its past. */
export default class NetworkReset extends BeamCommand {
  static override summary = 'Restart your node and forget the peers of former times.'
  static override description = 'Keys, names and addresses stay. What was thought of peers is forgotten, too.'
  static override examples = ['<%= config.bin %> network reset']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkReset)
    const nodes = await ask({ operation: 'reset', shape: 'status' })
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, answer }) => ({ ...owner, ...answer })) })
    for (const { owner, answer } of nodes) {
      const now = answer.running
        ? `the node was restarted and knows none of its former peers, with ${countText(answer.peers ?? 0, 'peer')} now`
        : 'no node is up: nothing needed one yet'
      process.stdout.write(`${ownerText(owner)}: ${now}\n`)
    }
  }
}
