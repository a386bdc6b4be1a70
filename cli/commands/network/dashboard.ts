import { ViewCommand, type Drawing } from '../../network/view-command.ts'

/** `beam network dashboard`: everything about the node on one screen. */
export default class NetworkDashboard extends ViewCommand {
  static override summary = 'Health, map, the last hour and peers on one screen, redrawn every second.'
  static override examples = ['<%= config.bin %> network dashboard']

  protected override async drawing(): Promise<Drawing> {
    return { history: true, lines: (await import('../../output/network/dashboard-text.ts')).dashboardLines }
  }
}
