import { ActionCommand } from '../../network/action-command.ts'

/** `beam network optimize`: better peers. */
export default class NetworkOptimize extends ActionCommand {
  static override summary = 'Look for better peers now: other networks, other sources, nearer ones.'
  static override description = 'The node does it by itself every half a minute; this does more of it at once. Links that are in use stay.'
  static override examples = ['<%= config.bin %> network optimize']

  protected override readonly question = { operation: 'optimize', shape: 'status' } as const
  protected override readonly said = 'better peers are looked for'
}
