import { string as stringArg } from '@oclif/core/args'
import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../core/errors.ts'
import type { Beam, ConnectOptions } from '../../plugins/beam.ts'
import { BeamCommand } from '../base-command.ts'
import { parseCount } from '../input/count.ts'
import { BOOTSTRAP_FLAG, EXPOSURE_FLAG, OUTPUT_FLAGS, SECRET_FLAGS } from '../input/flags.ts'
import { flagsOf, networkWishes } from '../input/network-flags/index.ts'
import { visitorSocket } from '../daemon/visitor-socket.ts'
import { readSecret } from '../input/secret.ts'
import { parsePort } from '../input/service-target.ts'
import { diallingBackends } from '../input/used-backends.ts'
import { Lifetime } from '../lifetime.ts'
import { openBeam } from '../open-beam.ts'
import { connectView } from '../output/connect-view.ts'

/** `beam connect`: makes a far service a local port, or standard input and output. */
export default class Connect extends BeamCommand {
  static override summary = 'Reach a published service: as a local port, or on standard input and output.'
  static override description =
    'ADDRESS is what the publisher’s Beam printed (beam://…), with @host:port behind it to dial there without looking it up, or a name such as myapp.local. Runs until Ctrl-C.'
  static override examples = [
    '<%= config.bin %> connect beam://… --port 8080',
    '<%= config.bin %> connect beam://…@192.168.1.20:41000',
    '<%= config.bin %> connect myapp.local --identify',
    'ssh -o ProxyCommand="<%= config.bin %> connect --stdio beam://…" me@home',
    '<%= config.bin %> connect beam://… --port 0 --json',
  ]
  static override args = { address: stringArg({ description: 'What to reach: beam://…, or a name.', required: true }) }
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
    backend: string({
      char: 'b',
      description: 'Network to use. Default: the one that the address belongs to.',
      helpGroup: 'NETWORK',
      helpValue: 'NAME',
    }),
    circuits: string({
      description: 'Spread connections over so many circuits of a network that has circuits (Tor), 1 to 32. Default: 1.',
      helpGroup: 'NETWORK',
      helpValue: 'N',
      exclusive: ['stdio'],
    }),
    ...flagsOf('dial'),
    ...EXPOSURE_FLAG,
    ...BOOTSTRAP_FLAG,
    ...OUTPUT_FLAGS,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Connect)
    if (flags.stdio && flags.secret === '-') {
      throw new ConfigError('--secret - cannot be used with --stdio: standard input carries the connection.', {
        code: 'BEAM_ERR_USAGE',
        hint: 'Use --secret-file or BEAM_SECRET.',
      })
    }
    const port = parsePort(flags.port ?? '0', 0)
    using lifetime = new Lifetime()
    const secret = await readSecret({ secret: flags.secret, file: flags['secret-file'], env: process.env['BEAM_SECRET'] })
    const { network, environment } = await networkWishes('dial', flags as unknown as Readonly<Record<string, unknown>>, () =>
      diallingBackends(args.address, flags.backend),
    )
    const options = {
      ...(flags.identify ? { identity: true as const } : {}),
      ...(secret === undefined ? {} : { secret }),
      ...(flags.backend === undefined ? {} : { backend: flags.backend }),
      ...(flags['allow-exposure'] ? { allowExposure: true } : {}),
      ...(network === undefined ? {} : { network }),
      signal: lifetime.signal,
    }
    await using beam = await openBeam({ verbose: flags.verbose, json: flags.json, bootstrap: flags['p2p-bootstrap'], environment })
    await using socket = visitorSocket(beam, this.config.root)
    socket.soon()
    if (flags.stdio) return await carry(beam, args.address, options, lifetime)
    const onEvent = connectView({ json: flags.json, urlOnly: flags['url-only'], quiet: flags.quiet })
    const connection = await beam.connect(args.address, {
      ...options,
      port,
      ...(flags.circuits === undefined ? {} : { circuits: parseCount(flags.circuits, '--circuits') }),
      ...(flags.bind === undefined ? {} : { host: flags.bind }),
      onEvent,
    })
    await connection.stop(await lifetime.ended())
  }
}

async function carry(beam: Beam, address: string, options: ConnectOptions, { signal }: Lifetime): Promise<void> {
  // Standard output is the connection: only warnings are told, on stderr.
  const onEvent = connectView({ json: false, urlOnly: false, quiet: true })
  const stream = await beam.openStream(address, { ...options, onEvent })
  const { endableStdout, joinStdio } = await import('../stdio.ts')
  await joinStdio(stream, process.stdin, endableStdout(), signal)
}
