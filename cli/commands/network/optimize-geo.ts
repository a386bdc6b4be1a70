import { ActionCommand } from '../../network/action-command.ts'

/** `beam network optimize-geo`: nearer peers. */
export default class NetworkOptimizeGeo extends ActionCommand {
  static override summary = 'Look for nearer peers now, by network coordinates.'
  static override description = 'Near is by measured round trips, not by geography. Nodes whose coordinate nobody told yet count as far.'
  static override examples = ['<%= config.bin %> network optimize-geo']

  protected override readonly question = { operation: 'optimize', shape: 'status', input: { near: true } } as const
  protected override readonly said = 'nearer peers are looked for'
}
