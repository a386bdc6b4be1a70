import { ActionCommand } from '../../network/action-command.ts'

/** `beam network restart`: the node anew. */
export default class NetworkRestart extends ActionCommand {
  static override summary = 'End your node of the mesh and bring it up again.'
  static override description = 'Tunnels stay, and become reachable through relays again. Peers are linked to anew.'
  static override examples = ['<%= config.bin %> network restart']

  protected override readonly question = { operation: 'restart', shape: 'status' } as const
  protected override readonly said = 'the node was restarted'
}
