import { string as stringArg } from '@oclif/core/args'
import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../core/errors.ts'
import type { Beam, Connection, ConnectOptions, Strategy } from '../../plugins/beam.ts'
import { BeamCommand } from '../base-command.ts'
import { parseCount } from '../input/count.ts'
import { BOOTSTRAP_FLAG, EXPOSURE_FLAG, OUTPUT_FLAGS, SECRET_FLAGS } from '../input/flags.ts'
import { flagsOf, networkWishes } from '../input/network-flags/index.ts'
import { RENDEZVOUS_FLAG, rendezvousEnvironment } from '../input/network-flags/rendezvous.ts'
import { visitorSocket } from '../daemon/visitor-socket.ts'
import { STRATEGIES } from '../input/publish-options.ts'
import { readSecret } from '../input/secret.ts'
import { parsePort } from '../input/service-target.ts'
import { diallingBackends } from '../input/used-backends.ts'
import { parseWeights } from '../input/weights.ts'
import { Lifetime } from '../lifetime.ts'
import { openBeam } from '../open-beam.ts'
import { connectView } from '../output/connect-view.ts'

/** `beam connect`: makes a far service a local port, or standard input and output. */
export default class Connect extends BeamCommand {
  static override summary = 'Reach a published service: as a local port, or on standard input and output.'
  static override description =
    'ADDRESS is what the publisher’s Beam printed (beam://…, with @host:port behind it to dial there without looking it up; http://….onion and so on), or a name such as myapp.local. Several addresses of one service are several paths to it: --strategy says how they are used. Runs until Ctrl-C.'
  static override examples = [
    '<%= config.bin %> connect beam://… --port 8080',
    '<%= config.bin %> connect beam://…@192.168.1.20:41000',
    '<%= config.bin %> connect myapp.local --identify',
    '<%= config.bin %> connect myapp.local --rendezvous beam-node:…@….onion',
    '<%= config.bin %> connect http://….onion --auth-key alice.key --circuits 4',
    '<%= config.bin %> connect beam://… http://….onion --strategy fallback',
    '<%= config.bin %> connect myapp.local --backends mesh,tor --strategy multipath --allow-exposure',
    'ssh -o ProxyCommand="<%= config.bin %> connect --stdio beam://…" me@home',
    '<%= config.bin %> connect beam://… --port 0 --json',
  ]
  static override strict = false
  static override args = {
    address: stringArg({ description: 'What to reach: beam://…, or a name; several are paths to the same service.', required: true }),
  }
  static override flags = {
    port: string({ char: 'p', description: 'Local port; 0 = any free one (the default).', helpGroup: 'LOCAL', helpValue: 'PORT' }),
    bind: string({
      description: 'Local address to listen on. Default: 127.0.0.1, for this machine only.',
      helpGroup: 'LOCAL',
      helpValue: 'ADDRESS',
    }),
    stdio: boolean({
      description: 'No local port: carry one connection on standard input and output (for ssh’s ProxyCommand).',
      helpGroup: 'LOCAL',
      exclusive: ['port', 'bind', 'json', 'url-only'],
    }),
    identify: boolean({
      description: 'Show the publisher your own visitor key (beam key show) instead of a throw-away one.',
      helpGroup: 'ACCESS',
    }),
    ...SECRET_FLAGS,
    backends: string({
      char: 'b',
      aliases: ['backend'],
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description:
        'Networks to use. Default: those that the addresses belong to, and for what else the service’s record lists, the enabled ones.',
      helpGroup: 'NETWORK',
      helpValue: 'A,B',
    }),
    strategy: string({
      options: STRATEGIES,
      description: 'How several paths are used. Default: fallback, or multipath where the service’s record says that it joins streams.',
      helpGroup: 'NETWORK',
    }),
    weights: string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'How --strategy load-balance spreads new connections: tor=3,mesh=1.',
      helpGroup: 'NETWORK',
      helpValue: 'NAME=N,…',
      exclusive: ['stdio'],
    }),
    circuits: string({
      description: 'Spread connections over so many circuits of a network that has circuits (Tor), 1 to 32. Default: 1.',
      helpGroup: 'NETWORK',
      helpValue: 'N',
      exclusive: ['stdio'],
    }),
    ...flagsOf('dial'),
    ...EXPOSURE_FLAG,
    ...RENDEZVOUS_FLAG,
    ...BOOTSTRAP_FLAG,
    ...OUTPUT_FLAGS,
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Connect)
    const addresses = argv as [string, ...string[]]
    if (flags.stdio && flags.secret === '-') {
      throw new ConfigError('--secret - cannot be used with --stdio: standard input carries the connection.', {
        code: 'BEAM_ERR_USAGE',
        hint: 'Use --secret-file or BEAM_SECRET.',
      })
    }
    const port = parsePort(flags.port ?? '0', 0)
    const weights = parseWeights(flags.weights)
    const { backends } = flags
    const [only] = backends?.length === 1 ? backends : []
    using lifetime = new Lifetime()
    const secret = await readSecret({ secret: flags.secret, file: flags['secret-file'], env: process.env['BEAM_SECRET'] })
    const values = flags as unknown as Readonly<Record<string, unknown>>
    const { network, ...wishes } = await networkWishes('dial', values, () => diallingBackends(addresses, backends))
    const environment = { ...wishes.environment, ...rendezvousEnvironment(values) }
    const options = {
      ...(flags.identify ? { identity: true as const } : {}),
      ...(secret === undefined ? {} : { secret }),
      ...(only === undefined ? {} : { backend: only }),
      ...(only !== undefined || backends === undefined ? {} : { backends }),
      ...(flags['allow-exposure'] ? { allowExposure: true } : {}),
      ...(network === undefined ? {} : { network }),
      ...(flags.strategy === undefined ? {} : { strategy: flags.strategy as Strategy }),
      signal: lifetime.signal,
    }
    await using beam = await openBeam({ verbose: flags.verbose, json: flags.json, bootstrap: flags['p2p-bootstrap'], environment })
    const connections: Connection[] = []
    await using socket = visitorSocket(beam, this.config.root, () => connections)
    socket.soon()
    if (flags.stdio) return await carry(beam, addresses, options, lifetime)
    const onEvent = connectView({ json: flags.json, urlOnly: flags['url-only'], quiet: flags.quiet })
    const connection = await beam.connect(addresses, {
      ...options,
      port,
      ...(weights === undefined ? {} : { weights }),
      ...(flags.circuits === undefined ? {} : { circuits: parseCount(flags.circuits, '--circuits') }),
      ...(flags.bind === undefined ? {} : { host: flags.bind }),
      onEvent,
    })
    connections.push(connection)
    await connection.stop(await lifetime.ended())
  }
}

async function carry(beam: Beam, addresses: readonly string[], options: ConnectOptions, { signal }: Lifetime): Promise<void> {
  // Standard output is the connection: only warnings are told, on stderr.
  const onEvent = connectView({ json: false, urlOnly: false, quiet: true })
  const stream = await beam.openStream(addresses, { ...options, onEvent })
  const { endableStdout, joinStdio } = await import('../stdio.ts')
  await joinStdio(stream, process.stdin, endableStdout(), signal)
}
