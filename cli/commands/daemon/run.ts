import { BeamCommand } from '../../base-command.ts'
import { Lifetime } from '../../lifetime.ts'

/** `beam daemon run`: is the daemon, in the foreground. */
export default class DaemonRun extends BeamCommand {
  static override summary = 'Be the daemon, in the foreground: for systemd, launchd and containers.'
  static override description = 'Runs until Ctrl-C or “beam daemon stop”. Its log goes to a file (beam daemon logs).'
  static override examples = ['<%= config.bin %> daemon run']

  async run(): Promise<void> {
    await this.parse(DaemonRun)
    using lifetime = new Lifetime()
    const [{ runDaemon }, { beamPaths }] = await load()
    await runDaemon({ paths: beamPaths(), root: this.config.root, lifetime })
  }
}

/** Apart, because TypeScript 6 forgets to rewrite the `.ts` of an import() in a function that has a `using`. */
const load = () => Promise.all([import('../../daemon/run-daemon.ts'), import('../../../config/paths.ts')])
