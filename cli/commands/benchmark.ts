import { boolean, integer, string } from '@oclif/core/flags'
import { ConfigError } from '../../core/errors.ts'
import { BeamCommand } from '../base-command.ts'
import { callersConfig } from '../config-file.ts'
import { parseDuration } from '../input/duration.ts'
import { BOOTSTRAP_FLAG, CONFIG_FLAG, JSON_FLAG } from '../input/flags.ts'
import { optionalValues } from '../input/optional-values.ts'
import { parseShare } from '../input/share.ts'
import { EXIT } from '../report-error.ts'
import { stderrLogger } from '../stderr-logger.ts'

/** Bounds of the durations, in milliseconds. */
const BOUNDS = { least: 1, most: 24 * 3_600_000 } as const
/** Shorter turns hold too few requests to say anything. */
const DURATION_BOUNDS = { ...BOUNDS, least: 1_000 }
const MAX_ROUNDS = 100
/** More requests a second are a test of this machine. */
const MAX_RATE = 1_000

/** `beam benchmark`: compares networks by measuring them. */
export default class Benchmark extends BeamCommand {
  static override summary = 'Compare networks: set-up, latency, throughput, failures, CPU and memory, and what each hides.'
  static override description =
    'Both ends are in this process, with keys and folders of their own that are removed afterwards; the load and the service are on loopback. The networks take turns in interleaved rounds, with the same load without any network beside them. What the network itself is, a private one or the public one, is what beam.config.yaml says. Exit code 1 when --max-p99 or --min-success is not kept, or the run was ended early; a network that cannot be measured keeps no limit. See docs/benchmark.md for how to read the figures.'
  static override examples = [
    '<%= config.bin %> benchmark --backends tor,i2p,mesh --duration 60s',
    '<%= config.bin %> benchmark --backends mesh --duration 10s --json',
    '<%= config.bin %> benchmark --backends tor,mesh --html report.html --csv figures.csv',
    '<%= config.bin %> benchmark --backends tor --max-p99 5s --min-success 99%',
  ]
  static override flags = {
    backends: string({
      char: 'b',
      aliases: ['backend'],
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'Networks to compare. Default: the enabled ones of the configuration.',
      helpGroup: 'NETWORK',
      helpValue: 'A,B',
    }),
    ...BOOTSTRAP_FLAG,
    duration: string({
      description: 'How long each network is measured, over all rounds; its set-up comes on top.',
      helpGroup: 'LOAD',
      helpValue: 'TIME',
      default: '60s',
    }),
    rounds: integer({ description: 'Turns of each network.', helpGroup: 'LOAD', helpValue: 'N', default: 3, min: 3, max: MAX_ROUNDS }),
    rate: integer({
      description: 'Requests per second of the open loop.',
      helpGroup: 'LOAD',
      helpValue: 'N',
      default: 10,
      min: 1,
      max: MAX_RATE,
    }),
    timeout: string({ description: 'Limit of one request or transfer.', helpGroup: 'LOAD', helpValue: 'TIME', default: '60s' }),
    'setup-limit': string({
      description: 'Limit for bringing up one network.',
      helpGroup: 'LOAD',
      helpValue: 'TIME',
      default: '5m',
    }),
    'max-p99': string({
      description: 'Fail when the 99th percentile of the requests of a network is above it.',
      helpGroup: 'LIMITS',
      helpValue: 'TIME',
    }),
    'min-success': string({ description: 'Fail when fewer requests and transfers succeed.', helpGroup: 'LIMITS', helpValue: 'SHARE' }),
    ...CONFIG_FLAG,
    ...JSON_FLAG,
    csv: string({
      description: 'Write the figures as CSV to a file, or to standard output without one.',
      helpGroup: 'OUTPUT',
      helpValue: '[FILE]',
    }),
    html: string({
      description: 'Write a report with plots, in one file, or to standard output without one.',
      helpGroup: 'OUTPUT',
      helpValue: '[FILE]',
    }),
    quiet: boolean({ char: 'q', description: 'Tell no progress.', helpGroup: 'OUTPUT' }),
  }

  async run(): Promise<void> {
    this.argv = optionalValues(this.argv, ['--csv', '--html'])
    const { flags } = await this.parse(Benchmark)
    const { json, csv, html, quiet, verbose } = flags
    if ([json, csv === '-', html === '-'].filter(Boolean).length > 1)
      throw new ConfigError('Standard output can take one of --json, --csv and --html.', {
        code: 'BEAM_ERR_USAGE',
        hint: 'Name files for the others: --html report.html',
      })
    const bootstrap = flags['p2p-bootstrap']
    const maxP99 = flags['max-p99']
    const minSuccess = flags['min-success']
    const options = {
      ...(flags.backends === undefined ? {} : { backends: flags.backends }),
      durationMs: parseDuration(flags.duration, '--duration', DURATION_BOUNDS),
      rounds: flags.rounds,
      ratePerSecond: flags.rate,
      timeoutMs: parseDuration(flags.timeout, '--timeout', BOUNDS),
      setupLimitMs: parseDuration(flags['setup-limit'], '--setup-limit', BOUNDS),
      ...(maxP99 === undefined ? {} : { maxP99Ms: parseDuration(maxP99, '--max-p99', BOUNDS) }),
      ...(minSuccess === undefined ? {} : { minSuccess: parseShare(minSuccess, '--min-success') }),
      configFile: await callersConfig(flags.file),
      env: bootstrap === undefined ? process.env : { ...process.env, BEAM_P2P_BOOTSTRAP: bootstrap },
      logger: await stderrLogger(verbose),
    }
    const { runBenchmark } = await import('../benchmark.ts')
    process.exitCode = (await runBenchmark(options, { json, csv, html, quiet })) ? EXIT.done : EXIT.failed
  }
}
