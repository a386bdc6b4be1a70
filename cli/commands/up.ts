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

/** `beam up`: publishes what beam.config.yaml declares. */
export default class Up extends BeamCommand {
  static override summary = 'Publish all tunnels of beam.config.yaml.'
  static override description =
    'Runs until Ctrl-C, or returns with --detach when they are ready. A tunnel that cannot be published does not stop the others; the exit code is then 1 in the end. With --detach, tunnels that the daemon carries already are left as they are.'
  static override examples = ['<%= config.bin %> up', '<%= config.bin %> up --detach', '<%= config.bin %> up --file staging.yaml --json']
  static override flags = { ...CONFIG_FLAG, ...BOOTSTRAP_FLAG, ...CARRIER_FLAGS, ...OUTPUT_FLAGS }

  async run(): Promise<void> {
    const { flags } = await this.parse(Up)
    using lifetime = new Lifetime()
    const file = await requiredConfig(flags.file)
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

/** What the file declares. Errors as `loadConfig`. */
async function servicesOf(file: string, verbose: boolean): Promise<ReturnType<typeof declaredServices>> {
  const { loadConfig } = await import('../../config/index.ts')
  return declaredServices((await loadConfig(await configOptions({ file, verbose }))).config)
}
