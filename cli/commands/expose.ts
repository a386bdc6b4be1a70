import { boolean, string } from '@oclif/core/flags'
import { BackendUnavailableError, ConfigError } from '../../core/errors.ts'
import type { PublishEvent } from '../../core/tunnels/events.ts'
import type { Beam, PublishOptions } from '../../plugins/beam.ts'
import { BeamCommand } from '../base-command.ts'
import { BOOTSTRAP_FLAG, EXPOSURE_FLAG, OUTPUT_FLAGS, SECRET_FLAGS } from '../input/flags.ts'
import { NETWORK_FLAGS, STRATEGIES, publishOptions } from '../input/publish-options.ts'
import { readSecret } from '../input/secret.ts'
import { parseServiceTarget, type ServiceTarget } from '../input/service-target.ts'
import { Lifetime } from '../lifetime.ts'
import { openBeam } from '../open-beam.ts'
import { publishView } from '../output/publish-view.ts'

const networkFlags = Object.fromEntries(
  NETWORK_FLAGS.map((name) => [name, boolean({ description: `Short for --backend ${name}.`, helpGroup: 'NETWORK' })]),
)

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
    lan: boolean({ description: 'Announce the domain on the local network, for browsers there.', helpGroup: 'SERVICE' }),
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
    backends: string({
      char: 'b',
      aliases: ['backend'],
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      description: 'Networks to use, by preference.',
      helpGroup: 'NETWORK',
      helpValue: 'A,B',
    }),
    ...networkFlags,
    fallback: boolean({ description: 'Short for --strategy fallback.', helpGroup: 'NETWORK' }),
    strategy: string({ options: STRATEGIES, description: 'How several networks are used.', helpGroup: 'NETWORK' }),
    ...EXPOSURE_FLAG,
    ...BOOTSTRAP_FLAG,
    qr: boolean({ description: 'Show the address as a QR code.', helpGroup: 'OUTPUT', exclusive: ['json', 'url-only'] }),
    copy: boolean({ description: 'Copy the address to the clipboard.', helpGroup: 'OUTPUT' }),
    ...OUTPUT_FLAGS,
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Expose)
    const targets = argv.map((word) => parseServiceTarget(String(word)))
    if (targets.length === 0)
      throw new ConfigError('Which port? Give at least one.', { code: 'BEAM_ERR_USAGE', hint: 'For example: beam 3000' })
    const switches = flags as unknown as Readonly<Record<string, boolean | undefined>>
    using lifetime = new Lifetime()
    const secret = await readSecret({ secret: flags.secret, file: flags['secret-file'], env: process.env['BEAM_SECRET'] })
    const options = publishOptions(
      {
        name: flags.name,
        domain: flags.domain,
        lan: flags.lan,
        allow: flags.allow,
        backends: flags.backends,
        networks: NETWORK_FLAGS.filter((name) => switches[name] === true),
        fallback: flags.fallback,
        strategy: flags.strategy,
        allowExposure: flags['allow-exposure'],
        requireService: flags['require-service'],
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
      connectFlags: [...(flags.allow === undefined ? [] : ['--identify']), ...(secret === undefined ? [] : ['--secret -'])],
    })
    await using beam = await openBeam({ verbose: flags.verbose, json: flags.json, bootstrap: flags['p2p-bootstrap'] })
    await publishUntilEnd(beam, targets, options, view, lifetime)
  }
}

/** Publishes all targets, or none: when one fails, the others are stopped and its error is thrown. */
async function publishUntilEnd(
  beam: Beam,
  targets: readonly ServiceTarget[],
  options: readonly PublishOptions[],
  view: (event: PublishEvent) => void,
  lifetime: Lifetime,
): Promise<void> {
  const ended = new AbortController()
  let left = targets.length
  const onEvent = (event: PublishEvent): void => {
    view(event)
    if (event.event === 'stopped' && --left === 0) ended.abort(event.reason)
  }
  const attempts = await Promise.allSettled(
    targets.map((target, index) => beam.publish(target, { ...options[index], onEvent, signal: lifetime.signal })),
  )
  const failed = attempts.find((attempt) => attempt.status === 'rejected')
  const stopped = new Promise<undefined>((resolve) => ended.signal.addEventListener('abort', () => resolve(undefined), { once: true }))
  const reason = failed === undefined ? await Promise.race([lifetime.ended(), stopped]) : 'another service could not be published'
  await Promise.allSettled(attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value.stop(reason)] : [])))
  if (failed !== undefined) throw failed.reason
  if (reason === undefined) throw new BackendUnavailableError(`Nothing is published any more: ${String(ended.signal.reason)}`)
}
