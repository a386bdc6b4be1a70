import { boolean } from '@oclif/core/flags'
import type { BeamConfig } from '../../config/beam-config.generated.ts'
import { ConfigError } from '../../core/errors.ts'
import { BeamCommand } from '../base-command.ts'
import { carry } from '../carry.ts'
import { requiredConfig } from '../config-file.ts'
import { configOptions } from '../input/config-options.ts'
import { declaredServices } from '../input/declared-services.ts'
import { connectFlags } from '../input/publish-options.ts'
import { BOOTSTRAP_FLAG, CARRIER_FLAGS, CONFIG_FLAG, OUTPUT_FLAGS } from '../input/flags.ts'
import { Lifetime } from '../lifetime.ts'
import { publishView } from '../output/publish-view.ts'
import { EXIT, reportError } from '../report-error.ts'
import type { Declaration } from '../watch/declared.ts'

/** `beam up`: publishes what beam.config.yaml declares. */
export default class Up extends BeamCommand {
  static override summary = 'Publish all tunnels of beam.config.yaml.'
  static override description =
    'Runs until Ctrl-C, or returns with --detach when they are ready. A tunnel that cannot be published does not stop the others; the exit code is then 1 in the end. With --detach, tunnels that the daemon carries already are left as they are.'
  static override examples = [
    '<%= config.bin %> up',
    '<%= config.bin %> up --watch',
    '<%= config.bin %> up --detach',
    '<%= config.bin %> up --file staging.yaml --json',
  ]
  static override flags = {
    watch: boolean({
      char: 'w',
      description:
        'Follow changes of the file: publish what is added, end what is removed, renew what is changed, and leave the rest alone.',
      helpGroup: 'FILE',
      exclusive: ['detach'],
    }),
    ...CONFIG_FLAG,
    ...BOOTSTRAP_FLAG,
    ...CARRIER_FLAGS,
    ...OUTPUT_FLAGS,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Up)
    using lifetime = new Lifetime()
    const file = await requiredConfig(flags.file)
    if (flags.watch) return await this.#watch(file, flags, lifetime)
    const services = await servicesOf(file, flags.verbose)
    if (services.length === 0) {
      throw new ConfigError(`${file} declares no tunnels.`, { hint: 'Add some under “tunnels:”, or publish a port without: beam 3000' })
    }
    const wanted = flags.detach ? await this.#missing(file, services, flags) : services
    if (wanted.length === 0) return
    const { json, quiet, verbose } = flags
    await carry({
      flags: {
        verbose,
        json,
        bootstrap: flags['p2p-bootstrap'],
        detach: flags.detach,
        noDaemon: flags['no-daemon'],
        root: this.config.root,
        declaredIn: file,
      },
      services: wanted,
      onEvent: publishView({
        json,
        urlOnly: flags['url-only'],
        quiet,
        qr: false,
        copy: false,
        connectFlags: ({ name }) => connectFlags(wanted.find(({ options }) => options.name === name)?.options.access ?? {}),
      }),
      lifetime,
      onFailure: (_service, error) => {
        // With a single one the error ends the command, which prints it.
        if (wanted.length > 1) reportError(error, { json, verbose })
        process.exitCode = EXIT.failed
      },
    })
  }

  /** As `run`, and then whatever the file says. */
  async #watch(file: string, flags: WatchFlags, lifetime: Lifetime): Promise<void> {
    const { json, quiet, verbose } = flags
    let declared: Declaration | undefined
    const accessOf = (name: string | undefined) => declared?.tunnels.get(name ?? '')?.service.options.access ?? {}
    const [{ watchUp }, { declarationOf }] = await Promise.all([import('../watch/watch-up.ts'), import('../watch/declared.ts')])
    await watchUp({
      flags: {
        verbose,
        json,
        bootstrap: flags['p2p-bootstrap'],
        detach: false,
        noDaemon: flags['no-daemon'],
        root: this.config.root,
        declaredIn: file,
      },
      file,
      load: async () => (declared = declarationOf(await configOf(file, verbose))),
      onEvent: publishView({
        json,
        urlOnly: flags['url-only'],
        quiet,
        qr: false,
        copy: false,
        connectFlags: ({ name }) => connectFlags(accessOf(name)),
      }),
      onFailure: (_name, error) => {
        reportError(error, { json, verbose })
        process.exitCode = EXIT.failed
      },
      onProblem: (error) => void reportError(error, { json, verbose }),
      onApplied: () => {
        if (!quiet && !json && !flags['url-only']) process.stderr.write(`${file} changed: its tunnels are as it says now.\n`)
      },
      lifetime,
    })
  }

  /** Those that do not run yet. */
  async #missing(
    file: string,
    services: ReturnType<typeof declaredServices>,
    { quiet, json }: { readonly quiet: boolean; readonly json: boolean },
  ): Promise<ReturnType<typeof declaredServices>> {
    const [{ findDaemon }, { beamPaths }] = await Promise.all([import('../daemon/find-processes.ts'), import('../../config/paths.ts')])
    const running = new Set((await findDaemon(beamPaths()))?.tunnels.flatMap((tunnel) => (tunnel.config === file ? [tunnel.name] : [])))
    for (const { options } of services) {
      if (!running.has(options.name) || quiet || json) continue
      process.stderr.write(
        `${options.name} runs already. After a change of its settings: beam stop ${options.name}, then beam up -d again.\n`,
      )
    }
    return services.filter(({ options }) => !running.has(options.name))
  }
}

/** The flags that concern watching. */
interface WatchFlags {
  readonly verbose: boolean
  readonly json: boolean
  readonly quiet: boolean
  readonly 'url-only': boolean
  readonly 'p2p-bootstrap': string | undefined
  readonly 'no-daemon': boolean
}

/** What the file declares. Errors as `loadConfig`. */
async function servicesOf(file: string, verbose: boolean): Promise<ReturnType<typeof declaredServices>> {
  return declaredServices(await configOf(file, verbose))
}

async function configOf(file: string, verbose: boolean): Promise<BeamConfig> {
  const { loadConfig } = await import('../../config/index.ts')
  return (await loadConfig(await configOptions({ file, verbose }))).config
}
