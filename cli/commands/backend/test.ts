import { string as stringArg } from '@oclif/core/args'
import { boolean, integer, string } from '@oclif/core/flags'
import { BeamCommand } from '../../base-command.ts'
import { JSON_FLAG } from '../../input/flags.ts'
import { EXIT } from '../../report-error.ts'
import { stderrLogger } from '../../stderr-logger.ts'

/** Beyond it a single case would take days. */
const MAX_TIME_SCALE = 1_000

/** `beam backend test`: whether a backend keeps what the contract promises. */
export default class BackendTest extends BeamCommand {
  static override summary = 'Run the conformance suite against a backend: promises kept, broken and skipped, latency, throughput.'
  static override description =
    'Makes two of the backend, with its settings from beam.config.yaml and throw-away keys, and lets them talk through tunnels to local services of the test. Without --network, settings that look for others beyond this machine are replaced by what the backend’s schema states for that (x-local); where it states nothing the backend is used as it is configured. Exit code 1 when a promise is broken or the run was ended early.'
  static override examples = [
    '<%= config.bin %> backend test mesh',
    '<%= config.bin %> backend test ./my-backend',
    '<%= config.bin %> backend test py-loop --json',
    '<%= config.bin %> backend test mesh --only echo,half-close',
  ]
  static override args = {
    name: stringArg({ description: 'Name of the backend, or the folder of a plugin (./my-backend).', required: true }),
  }
  static override flags = {
    network: boolean({ description: 'Leave the settings as configured, also those that use the network.', helpGroup: 'NETWORK' }),
    'time-scale': integer({
      description: 'Multiply every limit of time, for slow networks. Default: 1; 3 for executables.',
      helpGroup: 'SUITE',
      helpValue: 'FACTOR',
      min: 1,
      max: MAX_TIME_SCALE,
    }),
    only: string({ description: 'Test these promises alone, and measure nothing.', helpGroup: 'SUITE', helpValue: 'A,B' }),
    ...JSON_FLAG,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(BackendTest)
    const [{ testBackend }, { promiseIds }] = await Promise.all([import('../../backend-test.ts'), import('../../input/promise-ids.ts')])
    const passed = await testBackend(args.name, {
      network: flags.network,
      json: flags.json,
      logger: await stderrLogger(flags.verbose),
      ...(flags['time-scale'] === undefined ? {} : { timeScale: flags['time-scale'] }),
      ...(flags.only === undefined ? {} : { only: promiseIds(flags.only) }),
    })
    process.exitCode = passed ? EXIT.done : EXIT.failed
  }
}
