import { ActionCommand } from '../../network/action-command.ts'

/** `beam network reset`: the node anew, without its past. */
export default class NetworkReset extends ActionCommand {
  static override summary = 'Restart your node and forget the peers of former times.'
  static override description = 'Keys, names and addresses stay. What was thought of peers is forgotten, too.'
  static override examples = ['<%= config.bin %> network reset']

  protected override readonly question = { operation: 'reset', shape: 'status' } as const
  protected override readonly said = 'the node was restarted and knows none of its former peers'
}
