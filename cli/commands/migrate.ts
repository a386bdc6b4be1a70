import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../core/errors.ts'
import { BeamCommand } from '../base-command.ts'
import { fromProblem } from '../daemon/problem.ts'
import type { Selected } from '../daemon/select-tunnels.ts'
import { parseDuration } from '../input/duration.ts'
import { JSON_FLAG } from '../input/flags.ts'
import { Lifetime } from '../lifetime.ts'
import { migrateView } from '../output/migrate-view.ts'

/** `beam migrate`: moves a running tunnel from one network to another. */
export default class Migrate extends BeamCommand {
  static override summary = 'Move a running tunnel from one network to another without a gap.'
  static override description =
    'The new endpoint is up and was reached through its network before anything happens to the old one; then records are updated, open connections get time to end, and the old one stops. Ctrl-C, or a failure, leaves the old one as it was. Works with tunnels of the daemon and of commands in the foreground; a configuration file that declares the tunnel is not changed.'
  static override examples = [
    '<%= config.bin %> migrate --from tor --to i2p --tunnel-id web',
    '<%= config.bin %> migrate --from mesh --to tor --tunnel-id abc123 --drain 5m',
  ]
  static override flags = {
    from: string({ required: true, description: 'The network that carries the tunnel.', helpValue: 'BACKEND' }),
    to: string({ required: true, description: 'The network that is to carry it.', helpValue: 'BACKEND' }),
    'tunnel-id': string({ required: true, description: 'Id or name of the tunnel (see beam list).', helpValue: 'ID|NAME' }),
    drain: string({ description: 'How long open connections may go on over the old network.', helpValue: 'TIME', default: '30s' }),
    'allow-exposure': boolean({ description: 'Allow that the new network shows the IP address that the old one hides.' }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Migrate)
    const drainMs = parseDuration(flags.drain, '--drain', { least: 0, most: 86_400_000 })
    const { carrier, tunnel } = await theTunnel(flags['tunnel-id'])
    const view = migrateView(flags)
    const request = { from: flags.from, to: flags.to, drainMs, ...(flags['allow-exposure'] ? { allowExposure: true } : {}) }
    using lifetime = new Lifetime()
    for await (const line of carrier.client.migrate(tunnel.id, request, lifetime.signal)) {
      if ('failure' in line) throw fromProblem(line.failure)
      view(line)
    }
  }
}

/**
 * The tunnel with an id or a name.
 * @throws UnreachableError (`BEAM_ERR_TUNNEL_UNKNOWN`), ConfigError when several have the name
 */
async function theTunnel(word: string): Promise<Selected> {
  const [{ findProcesses }, { selectTunnels }, { beamPaths }] = await Promise.all([
    import('../daemon/find-processes.ts'),
    import('../daemon/select-tunnels.ts'),
    import('../../config/paths.ts'),
  ])
  const [selected, another] = selectTunnels(await findProcesses(beamPaths()), word)
  if (selected !== undefined && another === undefined) return selected
  throw new ConfigError(`Several tunnels are called ${word}.`, { code: 'BEAM_ERR_USAGE', hint: 'Give the id: beam list' })
}
