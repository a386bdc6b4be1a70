import { boolean, string } from '@oclif/core/flags'
import { ConfigError } from '../../core/errors.ts'
import { BeamCommand } from '../base-command.ts'
import { parseBudget } from '../input/budget.ts'
import { CHOICE_FLAGS, typedNetworks } from '../input/choice-flags.ts'
import { BOOTSTRAP_FLAG, CARRIER_FLAGS, OUTPUT_FLAGS, SECRET_FLAGS } from '../input/flags.ts'
import { flagsOf, networkWishes, readsHttp, selectedBy } from '../input/network-flags/index.ts'
import { assertDomain, RENDEZVOUS_FLAG, rendezvousEnvironment } from '../input/network-flags/rendezvous.ts'
import { connectFlags, namedBackends, publishOptions } from '../input/publish-options.ts'
import { readSecret } from '../input/secret.ts'
import { parseServiceTarget } from '../input/service-target.ts'
import { usedBackends } from '../input/used-backends.ts'
import { Lifetime } from '../lifetime.ts'
import { carry } from '../carry.ts'
import { publishView } from '../output/publish-view.ts'

/** Said at the end of a command that leaves its tunnels with the daemon. */
const KEPT = 'The daemon carries it now, also after a restart. To see it: beam list. To end it: beam stop NAME'

/** `beam 3000`: publishes local services until it is ended. */
export default class Expose extends BeamCommand {
  static override summary = 'Publish local TCP services (the default command: beam 3000).'
  static override description =
    'Prints an address for each service, how to reach it from another machine, what the address reveals and who can use it. Runs until Ctrl-C.'
  static override strict = false
  static override usage = 'expose PORT|HOST:PORT ... [FLAGS]'
  static override examples = [
    '<%= config.bin %> 3000',
    '<%= config.bin %> 3000 8080 db.lan:5432',
    '<%= config.bin %> 3000 --name web --allow VISITOR_KEY',
    '<%= config.bin %> 3000 --secret - --qr',
    '<%= config.bin %> 3000 --backends tor,mesh --fallback --allow-exposure',
    '<%= config.bin %> 3000 --anonymity medium --budget latency=2s',
    '<%= config.bin %> 3000 --tor --name web --domain myapp.local --rendezvous beam-node:…@….onion',
    '<%= config.bin %> 3000 --name web --detach',
    '<%= config.bin %> 3000 --json',
  ]
  static override flags = {
    name: string({
      char: 'n',
      multiple: true,
      multipleNonGreedy: true,
      description: 'Keep the address across restarts under this name; once for each service.',
      helpGroup: 'SERVICE',
      helpValue: 'NAME',
    }),
    domain: string({
      multiple: true,
      multipleNonGreedy: true,
      description: 'Claim a domain such as myapp.local; once for each service.',
      helpGroup: 'SERVICE',
      helpValue: 'DOMAIN',
    }),
    'host-header': string({
      description:
        'The Host header that an HTTP service sees: a value, or “rewrite” for that of a local visitor (localhost:3000). For applications that check it.',
      helpGroup: 'SERVICE',
      helpValue: 'VALUE',
    }),
    'require-service': boolean({ description: 'Fail when nothing listens on the port, instead of waiting for it.', helpGroup: 'SERVICE' }),
    allow: string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'Let only this visitor key in (see beam key show); can be repeated.',
      helpGroup: 'ACCESS',
      helpValue: 'KEY',
    }),
    ...SECRET_FLAGS,
    ...CHOICE_FLAGS,
    ...flagsOf('publish'),
    ...RENDEZVOUS_FLAG,
    ...BOOTSTRAP_FLAG,
    ...CARRIER_FLAGS,
    qr: boolean({ description: 'Show the address as a QR code.', helpGroup: 'OUTPUT', exclusive: ['json', 'url-only'] }),
    copy: boolean({ description: 'Copy the address to the clipboard.', helpGroup: 'OUTPUT' }),
    ...OUTPUT_FLAGS,
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Expose)
    const targets = argv.map((word) => parseServiceTarget(String(word)))
    if (targets.length === 0)
      throw new ConfigError('Which port? Give at least one.', { code: 'BEAM_ERR_USAGE', hint: 'For example: beam 3000' })
    const values = flags as unknown as Readonly<Record<string, unknown>>
    assertDomain(values)
    const networks = [...typedNetworks(values, this.argv), ...selectedBy(values)]
    const named = namedBackends({ backends: flags.backends, networks })
    const wishes = await networkWishes('publish', values, () => usedBackends(named))
    const { network } = wishes
    const environment = { ...wishes.environment, ...rendezvousEnvironment(values) }
    const join = await joined(wishes.join, flags['p2p-bootstrap'], named)
    using lifetime = new Lifetime()
    const secret = await readSecret({ secret: flags.secret, file: flags['secret-file'], env: process.env['BEAM_SECRET'] })
    const options = publishOptions(
      {
        name: flags.name,
        domain: flags.domain,
        allow: flags.allow,
        backends: flags.backends,
        networks,
        fallback: flags.fallback,
        strategy: flags.strategy,
        budget: parseBudget(flags.budget, flags.anonymity),
        allowExposure: flags['allow-exposure'],
        requireService: flags['require-service'],
        hostHeader: flags['host-header'],
        readsHttp: readsHttp(values),
        ...(network === undefined ? {} : { network }),
        join,
      },
      secret,
      targets.length,
    )
    const view = publishView({
      json: flags.json,
      urlOnly: flags['url-only'],
      quiet: flags.quiet,
      qr: flags.qr,
      copy: flags.copy,
      connectFlags: () => connectFlags(options[0]?.access ?? {}),
    })
    await carry({
      flags: {
        verbose: flags.verbose,
        json: flags.json,
        bootstrap: flags['p2p-bootstrap'],
        environment,
        detach: flags.detach,
        noDaemon: flags['no-daemon'],
        root: this.config.root,
      },
      services: targets.map((target, index) => ({ target, options: options[index] ?? {} })),
      onEvent: view,
      lifetime,
    })
    if (flags.detach && !flags.json && !flags.quiet && !flags['url-only']) process.stderr.write(`${KEPT}\n`)
  }
}

/** The networks to take part in beside the tunnel: whoever names nodes of the mesh for a tunnel that is not on it means that, too. */
async function joined(wanted: readonly string[] = [], bootstrap: string | undefined, named: readonly string[]): Promise<readonly string[]> {
  if (bootstrap === undefined || bootstrap === 'none' || wanted.includes('mesh') || (await usedBackends(named)).includes('mesh'))
    return wanted
  return [...wanted, 'mesh']
}
