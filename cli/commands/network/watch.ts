import { ViewCommand, type Drawing } from '../../network/view-command.ts'

/** `beam network watch`: the map and the peers, on the whole terminal. */
export default class NetworkWatch extends ViewCommand {
  static override summary = 'Watch the map and the peers of your node, redrawn every second.'
  static override examples = ['<%= config.bin %> network watch', '<%= config.bin %> network watch --json']

  protected override async drawing(): Promise<Drawing> {
    return { history: false, lines: (await import('../../output/network/dashboard-text.ts')).watchLines }
  }
}
