import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { ask } from '../../network/ask.ts'
import { writeJson } from '../../output/config-text.ts'
import { countText, ownerText } from '../../output/network/words.ts'

/** `beam network restart`: the node anew. */
export default class NetworkRestart extends BeamCommand {
  static override summary = 'End your node of the mesh and bring it up again.'
  static override description = 'Tunnels stay, and become reachable through relays again. Peers are linked to anew.'
  static override examples = ['<%= config.bin %> network restart']
  static override flags = JSON_FLAG

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkRestart)
    const nodes = await ask({ operation: 'restart', shape: 'status' })
    if (flags.json) return writeJson({ instances: nodes.map(({ owner, answer }) => ({ ...owner, ...answer })) })
    for (const { owner, answer } of nodes) {
      const now = answer.running
        ? `the node was restarted, with ${countText(answer.peers ?? 0, 'peer')} now`
        : 'no node is up: nothing needed one yet'
      process.stdout.write(`${ownerText(owner)}: ${now}\n`)
    }
  }
}
